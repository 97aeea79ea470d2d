"""The `depth` command, one small file per subcommand."""
