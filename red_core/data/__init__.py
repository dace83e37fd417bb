"""Where images come from: the official data sets, the bundled assets, a user's own file."""
