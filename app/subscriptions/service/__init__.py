"""What shops subscribe to: `standing` asks, `syncing` follows Stripe, `changing` asks Stripe for a change."""
