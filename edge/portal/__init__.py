"""Pure rules of a dock door: from reads to passes with a direction, a confidence and the evidence."""
