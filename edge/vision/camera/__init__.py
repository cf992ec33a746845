"""From a source of pictures to the newest whole one, in a process of its own that may hang or die."""
