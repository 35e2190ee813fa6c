"""The EU's register of VAT numbers over HTTP."""
