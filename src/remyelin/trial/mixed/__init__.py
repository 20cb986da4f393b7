"""Mixed models with random intercepts: lesions in patients, visits in eyes in patients."""
