"""The invariants of the books and the pipeline, one SQL query each. Every query returns the rows that
break its rule.

They hold after every commit, so the audit may run at any moment, beside any worker.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Check:
    """`sql` returns what is wrong (empty when all is well); `counted` says how much was looked at."""

    name: str
    promise: str
    sql: str
    counted: str


CHECKS = (
    Check(
        "credits_add_up",
        "all accounts of a shop together are zero: what it has is what it got",
        """SELECT shop_id, sum(balance) AS off_by FROM ledger_accounts GROUP BY shop_id HAVING sum(balance)
          <> 0""",
        "SELECT count(DISTINCT shop_id) FROM ledger_accounts",
    ),
    Check(
        "balances_are_their_transfers",
        "every balance is the sum of its transfers",
        """SELECT a.shop_id, a.kind, a.balance, coalesce(t.total, 0) AS transfers
           FROM ledger_accounts a LEFT JOIN (
             SELECT account_id, sum(amount) AS total FROM (
               SELECT to_account_id AS account_id, amount FROM ledger_transfers
               UNION ALL SELECT from_account_id, -amount FROM ledger_transfers) both_sides
             GROUP BY account_id) t ON t.account_id = a.id
           WHERE a.balance <> coalesce(t.total, 0)""",
        "SELECT count(*) FROM ledger_transfers",
    ),
    Check(
        "last_transfer_shows_the_balance",
        "the balance written on an account's last transfer is its balance",
        """SELECT a.shop_id, a.kind, a.balance, l.shown FROM ledger_accounts a JOIN LATERAL (
             SELECT CASE WHEN to_account_id = a.id THEN to_balance_after ELSE from_balance_after END AS shown
             FROM ledger_transfers t
             WHERE t.shop_id = a.shop_id AND a.id IN (t.to_account_id, t.from_account_id)
             ORDER BY id DESC LIMIT 1) l ON true
           WHERE l.shown <> a.balance""",
        "SELECT count(*) FROM ledger_accounts",
    ),
    Check(
        "held_account_is_the_holds",
        "what is held is what the holds have left",
        """SELECT a.shop_id, a.balance, coalesce(h.left_credits, 0) AS holds FROM ledger_accounts a LEFT
          JOIN (
             SELECT shop_id, sum(allowance_left + wallet_left) AS left_credits FROM credit_holds GROUP BY
               shop_id) h
             ON h.shop_id = a.shop_id
           WHERE a.kind = 'held' AND a.balance <> coalesce(h.left_credits, 0)""",
        "SELECT count(*) FROM credit_holds",
    ),
    Check(
        "holds_are_the_open_messages",
        "a run's hold has left exactly the parts of its pending, claimed and unknown messages",
        """SELECT h.shop_id, h.run_id, h.allowance_left + h.wallet_left AS left_credits, coalesce(m.parts,
          0) AS open_parts
           FROM credit_holds h LEFT JOIN (
             SELECT run_id, sum(parts) AS parts FROM messages WHERE state IN ('pending', 'claimed', 'unknown')
             GROUP BY run_id) m ON m.run_id = h.run_id
           WHERE h.allowance_left + h.wallet_left <> coalesce(m.parts, 0)""",
        "SELECT count(*) FROM messages WHERE state IN ('pending', 'claimed', 'unknown')",
    ),
    Check(
        "spent_is_the_charged_messages",
        "what a run has spent is the parts of its accepted messages that were not refunded",
        """SELECT h.shop_id, h.run_id, h.allowance_spent + h.wallet_spent AS spent, coalesce(m.parts, 0) AS
          charged_parts
           FROM credit_holds h LEFT JOIN (
             SELECT run_id, sum(parts) AS parts FROM messages m
             WHERE state IN ('sent', 'delivered') OR (state = 'undelivered' AND NOT EXISTS (
               SELECT 1 FROM ledger_transfers t WHERE t.shop_id = m.shop_id AND t.kind = 'refund' AND
                 t.message_id = m.id
                 AND t.run_id = m.run_id))
             GROUP BY run_id) m ON m.run_id = h.run_id
           WHERE h.allowance_spent + h.wallet_spent <> coalesce(m.parts, 0)""",
        "SELECT count(*) FROM messages WHERE state IN ('sent', 'delivered', 'undelivered')",
    ),
    Check(
        "spent_account_is_the_runs",
        "a shop's spent credits are those of its runs",
        """SELECT a.shop_id, a.balance, coalesce(h.spent, 0) AS runs FROM ledger_accounts a LEFT JOIN (
             SELECT shop_id, sum(allowance_spent + wallet_spent) AS spent FROM credit_holds GROUP BY
               shop_id) h
             ON h.shop_id = a.shop_id
           WHERE a.kind = 'spent' AND a.balance <> coalesce(h.spent, 0)""",
        "SELECT count(*) FROM credit_holds",
    ),
    Check(
        "refunds_are_for_undelivered",
        "a refund belongs to an undelivered message and is no more than its parts",
        """SELECT t.shop_id, t.message_id, sum(t.amount) AS refunded, m.parts, m.state
           FROM ledger_transfers t LEFT JOIN messages m ON m.id = t.message_id AND m.shop_id = t.shop_id
           WHERE t.kind = 'refund' GROUP BY t.shop_id, t.message_id, m.parts, m.state
           HAVING m.state IS DISTINCT FROM 'undelivered' OR sum(t.amount) <> m.parts""",
        "SELECT count(*) FROM ledger_transfers WHERE kind = 'refund'",
    ),
    Check(
        "seals_leave_no_hole",
        "a shop's seals follow each other, and each has as many transfers as it was made of",
        """SELECT l.shop_id, l.number, l.transfers, t.total FROM (
             SELECT *, lag(hash) OVER shop AS below, lag(last_transfer_id) OVER shop AS after,
               row_number() OVER shop AS place
             FROM ledger_seals WINDOW shop AS (PARTITION BY shop_id ORDER BY number)) l
           CROSS JOIN LATERAL (
             SELECT count(*) AS total FROM ledger_transfers x
             WHERE x.shop_id = l.shop_id AND x.id > coalesce(l.after_transfer_id, 0)
               AND x.id <= l.last_transfer_id) t
           WHERE l.transfers <> t.total OR l.number <> l.place
             OR l.previous <> coalesce(l.below, repeat('0', 64))
             OR l.after_transfer_id IS DISTINCT FROM l.after""",
        "SELECT count(*) FROM ledger_seals",
    ),
    Check(
        "counters_are_the_messages",
        "a run's counters are the number of its messages in each state",
        """SELECT r.shop_id, r.id AS run_id FROM message_runs r LEFT JOIN (
             SELECT run_id, count(*) FILTER (WHERE state = 'pending') AS pending,
               count(*) FILTER (WHERE state = 'claimed') AS claimed, count(*) FILTER (WHERE state =
                 'unknown') AS unknown,
               count(*) FILTER (WHERE state = 'sent') AS sent, count(*) FILTER (WHERE state = 'delivered')
                 AS delivered,
               count(*) FILTER (WHERE state = 'undelivered') AS undelivered,
               count(*) FILTER (WHERE state = 'failed') AS failed, count(*) FILTER (WHERE state =
                 'not_sent') AS not_sent,
               count(*) FILTER (WHERE state = 'skipped') AS skipped
             FROM messages GROUP BY run_id) m ON m.run_id = r.id
           WHERE (r.pending, r.claimed, r.unknown, r.sent, r.delivered, r.undelivered, r.failed,
             r.not_sent, r.skipped)
             IS DISTINCT FROM (coalesce(m.pending, 0), coalesce(m.claimed, 0), coalesce(m.unknown, 0),
               coalesce(m.sent, 0), coalesce(m.delivered, 0), coalesce(m.undelivered, 0),
               coalesce(m.failed, 0), coalesce(m.not_sent, 0), coalesce(m.skipped, 0))""",
        "SELECT count(*) FROM message_runs",
    ),
    Check(
        "claims_do_not_outlive_their_lease",
        "no message stays claimed past its lease and two sweeps",
        """SELECT m.shop_id, m.id AS message_id, m.attempt_id FROM messages m JOIN send_attempts a ON a.id
          = m.attempt_id
           WHERE m.state = 'claimed' AND a.started_at < now() - make_interval(secs => :lease_seconds + 60)""",
        "SELECT count(*) FROM messages WHERE state = 'claimed'",
    ),
    Check(
        "accepted_messages_have_ids",
        "an accepted message has a provider id, one that was never accepted has none",
        """SELECT shop_id, id AS message_id, state FROM messages
           WHERE (state IN ('sent', 'delivered', 'undelivered')) <> (provider_message_id IS NOT NULL)""",
        "SELECT count(*) FROM messages",
    ),
    Check(
        "no_row_refers_to_another_shop",
        "a message, its run, its contact and its attempt belong to one shop",
        """SELECT m.shop_id, m.id AS message_id FROM messages m
           LEFT JOIN message_runs r ON r.id = m.run_id
           LEFT JOIN contacts c ON c.id = m.contact_id
           LEFT JOIN send_attempts a ON a.id = m.attempt_id
           WHERE r.id IS NULL OR r.shop_id <> m.shop_id OR c.shop_id <> m.shop_id OR a.shop_id <> m.shop_id
             OR (m.attempt_id IS NOT NULL AND a.id IS NULL)""",
        "SELECT count(*) FROM messages",
    ),
    Check(
        "opted_out_are_suppressed",
        "every contact that opted out is on the suppression list, and nobody on it is opted in",
        """SELECT c.shop_id, c.id AS contact_id FROM contacts c LEFT JOIN suppressions s
             ON s.shop_id = c.shop_id AND s.phone = c.phone
           WHERE (c.consent = 'opted_out' AND s.phone IS NULL) OR (c.consent = 'opted_in' AND s.phone IS
             NOT NULL)""",
        "SELECT count(*) FROM contacts",
    ),
    Check(
        "attributions_agree_with_their_texts",
        "an order is counted for one text at most, which is the shop's and came before it",
        """SELECT a.shop_id, a.order_id, a.run_id, a.message_id FROM order_attributions a
           JOIN orders o ON o.id = a.order_id
           LEFT JOIN message_runs r ON r.id = a.run_id LEFT JOIN messages m ON m.id = a.message_id
           WHERE o.shop_id <> a.shop_id OR r.id IS NULL OR (r.shop_id, r.source, r.source_id)
             <> (a.shop_id, a.source, a.source_id) OR a.at > o.placed_at
             OR (a.message_id IS NOT NULL
               AND (m.id IS NULL OR (m.shop_id, m.run_id) <> (a.shop_id, a.run_id)))""",
        "SELECT count(*) FROM order_attributions",
    ),
    Check(
        "purchases_have_their_transfers",
        "a paid purchase was credited once, with its credits",
        """SELECT p.shop_id, p.id AS purchase_id, p.status, t.amount FROM purchases p
           LEFT JOIN ledger_transfers t ON t.shop_id = p.shop_id AND t.kind = 'purchase'
             AND t.key = 'stripe:purchase:' || p.id
           WHERE p.paid_at IS NOT NULL AND t.amount IS DISTINCT FROM p.credits""",
        "SELECT count(*) FROM purchases WHERE paid_at IS NOT NULL",
    ),
    Check(
        "purchase_transfers_have_their_purchases",
        "credits that were bought belong to a paid purchase of the shop",
        """SELECT t.shop_id, t.id AS transfer_id, t.key FROM ledger_transfers t
           LEFT JOIN purchases p ON p.shop_id = t.shop_id AND p.paid_at IS NOT NULL
             AND p.id = CAST(substring(t.key FROM '^stripe:purchase:([0-9]{1,18})(:|$)') AS bigint)
           WHERE t.key LIKE 'stripe:purchase:%' AND p.id IS NULL""",
        "SELECT count(*) FROM ledger_transfers WHERE key LIKE 'stripe:purchase:%'",
    ),
    Check(
        "reversed_credits_are_their_transfers",
        "what a purchase shows as taken back was taken back, less what was given again",
        """SELECT p.shop_id, p.id AS purchase_id, p.reversed_credits, coalesce(t.posted, 0) AS posted
           FROM purchases p LEFT JOIN (
             SELECT shop_id, CAST(split_part(key, ':', 3) AS bigint) AS purchase_id,
               sum(CASE kind WHEN 'reversal' THEN amount ELSE -amount END) AS posted
             FROM ledger_transfers WHERE kind IN ('reversal', 'reinstatement')
               AND key ~ '^stripe:purchase:[0-9]{1,18}:' GROUP BY 1, 2) t
             ON t.shop_id = p.shop_id AND t.purchase_id = p.id
           WHERE p.reversed_credits <> coalesce(t.posted, 0)""",
        "SELECT count(*) FROM purchases WHERE reversed_credits > 0",
    ),
)
