"""The edges that both ends share: the disc verbs, the journals on disc, the link, the console command."""
