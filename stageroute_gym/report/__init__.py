"""From results to what people look at; the evaluation never imports it."""
