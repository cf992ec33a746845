"""One cloud service per company: replenishment requests in, purchase orders out, each exactly once."""
