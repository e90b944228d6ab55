"""What is served: applications that the web server of a target loads, in an environment of their own."""
