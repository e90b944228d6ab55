"""The pages of a workspace: a module each, with a folder of templates of the same name."""
