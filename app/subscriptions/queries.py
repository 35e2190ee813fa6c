"""Subscriptions in SQL."""

from __future__ import annotations

from sqlalchemy import text

# A shop without a row gets one only when a paid subscription is read for it; two readings at once make one.
ADD_ROW = text("""
    INSERT INTO subscriptions (shop_id, plan, billing_interval, status)
    VALUES (:shop_id, :plan, :interval, 'inactive') ON CONFLICT (shop_id) DO NOTHING""")

# The guard is the version: a reading that is older than what was written meanwhile changes nothing. It moves
# only with what the row says, so that readings which agree do not send each other back to Stripe.
APPLY = text("""
    UPDATE subscriptions SET
      plan = :plan, billing_interval = :interval, currency = :currency, status = :status,
      included_sms = :included, period_start = :period_start, period_end = :period_end,
      trial_end = :trial_end, cancel_at_period_end = :cancel_at_period_end,
      stripe_customer_id = :customer_id, stripe_subscription_id = :subscription_id,
      stripe_schedule_id = :schedule_id, superseded_stripe_subscription_id = :superseded_id,
      pending_plan = :pending_plan, pending_interval = :pending_interval,
      pending_currency = :pending_currency, pending_effective_at = :pending_effective_at,
      last_billing_error = :billing_error, source_of_truth = :source, last_synced_at = :at,
      updated_at = :at, version = version + CASE WHEN
        (plan, billing_interval, currency, status, included_sms, period_start, period_end, trial_end,
         cancel_at_period_end, stripe_customer_id, stripe_subscription_id, stripe_schedule_id,
         superseded_stripe_subscription_id, pending_plan, pending_interval, pending_currency,
         pending_effective_at, last_billing_error)
        IS DISTINCT FROM
        (:plan, :interval, :currency, :status, :included, :period_start, :period_end, :trial_end,
         :cancel_at_period_end, :customer_id, :subscription_id, :schedule_id,
         :superseded_id, :pending_plan, :pending_interval, :pending_currency,
         :pending_effective_at, :billing_error) THEN 1 ELSE 0 END
    WHERE shop_id = :shop_id AND version = :version
    RETURNING allowance_period""")

TOUCH = text("""
    UPDATE subscriptions SET last_synced_at = :at
    WHERE shop_id = :shop_id AND version = :version RETURNING 1""")

NOTE_ALLOWANCE = text("""
    UPDATE subscriptions SET allowance_period = :period, allowance_started_at = :at
    WHERE shop_id = :shop_id""")

NOTE_CHECKOUT = text("""
    UPDATE subscriptions SET checkout_session_id = :session_id
    WHERE shop_id = :shop_id AND stripe_subscription_id = :subscription_id""")

WITH_SUPERSEDED = text("""
    SELECT shop_id FROM subscriptions WHERE superseded_stripe_subscription_id IS NOT NULL
    ORDER BY shop_id LIMIT :most""")

NOT_COMPARED_SINCE = text("""
    SELECT shop_id FROM subscriptions
    WHERE stripe_subscription_id IS NOT NULL AND status <> 'cancelled' AND last_synced_at < :before
    ORDER BY last_synced_at LIMIT :most""")

# What an operator made for nothing and the merchant gave up ends by our own clock.
END_UNPAID = text("""
    UPDATE subscriptions SET status = 'cancelled', cancel_at_period_end = false, updated_at = :at,
      version = version + 1
    WHERE stripe_subscription_id IS NULL AND cancel_at_period_end AND status = 'active' AND period_end < :at
    RETURNING shop_id""")

OF_STRIPE = text("SELECT shop_id FROM subscriptions WHERE stripe_subscription_id = :subscription_id")
EXISTING_SHOP = text("SELECT id FROM shops WHERE id = :shop_id")
