"""The whole loop on one machine: product, fake Zendesk and a shop to be a customer of."""
