"""Codes of pools, in sets."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, func, select, text

from app.discounts.models import Code

CODE_COLUMN = "discount_code"

POOLS = text("""
    SELECT p.*, count(c.id) AS codes, count(c.id) FILTER (WHERE c.live_at IS NOT NULL) AS live,
      count(c.id) FILTER (WHERE c.live_at IS NOT NULL AND c.message_id IS NULL) AS free
    FROM discount_pools p LEFT JOIN discount_codes c ON c.shop_id = p.shop_id AND c.pool_id = p.id
    WHERE p.shop_id = :shop_id AND (CAST(:pool_id AS bigint) IS NULL OR p.id = :pool_id)
    GROUP BY p.id ORDER BY p.id DESC LIMIT 200""")
ADD = text("""
    INSERT INTO discount_codes (shop_id, pool_id, code)
    SELECT :shop_id, :pool_id, code FROM unnest(CAST(:codes AS text[])) AS code
    ON CONFLICT (shop_id, code) DO NOTHING""")

# What is frozen has its code among the message's values; here the code learns whose it is. Only what waits is
# looked at: there is an index for it, and none for all messages of a run.
GIVE = text("""
    WITH waiting AS MATERIALIZED (
      SELECT id, merge ->> 'discount.code' AS code FROM messages
      WHERE run_id = :run_id AND state = 'pending' AND shop_id = :shop_id),
    free AS MATERIALIZED (
      SELECT id, code FROM discount_codes
      WHERE shop_id = :shop_id AND pool_id = :pool_id AND live_at IS NOT NULL AND message_id IS NULL),
    -- FULL cannot be done by a nested loop, see with_codes
    pairs AS MATERIALIZED (
      SELECT w.id AS message_id, f.id AS code_id FROM waiting w FULL JOIN free f ON f.code = w.code)
    UPDATE discount_codes d SET run_id = :run_id, message_id = p.message_id
    FROM pairs p WHERE d.id = p.code_id AND p.message_id IS NOT NULL""")
GIVE_BACK = text("""
    UPDATE discount_codes d SET run_id = NULL, message_id = NULL
    FROM messages m
    WHERE d.shop_id = :shop_id AND d.run_id = :run_id AND m.id = d.message_id AND m.state = 'skipped'""")
POOL_OF_RUN = text("""
    SELECT c.pool_id FROM messages m JOIN discount_codes c
      ON c.shop_id = m.shop_id AND c.code = m.merge ->> 'discount.code'
    WHERE m.run_id = :run_id AND m.state = 'pending' AND m.shop_id = :shop_id LIMIT 1""")
# Who waits again without a code gets another one; it is as long as the one before, so nothing is priced anew.
GIVE_ANEW = text("""
    WITH waiting AS MATERIALIZED (
      SELECT m.id FROM messages m
      WHERE m.shop_id = :shop_id AND m.run_id = :run_id AND m.state = 'pending'
        AND NOT EXISTS (SELECT FROM discount_codes d WHERE d.message_id = m.id)
      ORDER BY m.id),
    taken AS MATERIALIZED (
      SELECT id, code FROM discount_codes
      WHERE shop_id = :shop_id AND pool_id = :pool_id AND live_at IS NOT NULL AND message_id IS NULL
      ORDER BY id LIMIT (SELECT count(*) FROM waiting) FOR UPDATE SKIP LOCKED),
    -- FULL cannot be done by a nested loop, see with_codes
    pairs AS MATERIALIZED (
      SELECT w.id AS message_id, t.id AS code_id, t.code
      FROM (SELECT id, row_number() OVER (ORDER BY id) AS place FROM waiting) w
      FULL JOIN (SELECT id, code, row_number() OVER (ORDER BY id) AS place FROM taken) t USING (place)),
    given AS (
      UPDATE discount_codes d SET run_id = :run_id, message_id = p.message_id
      FROM pairs p WHERE d.id = p.code_id RETURNING 1),
    told AS (
      UPDATE messages m SET merge = m.merge || jsonb_build_object('discount.code', p.code)
      FROM pairs p WHERE m.id = p.message_id AND p.code_id IS NOT NULL RETURNING 1)
    SELECT (SELECT count(*) FROM waiting) AS waiting, (SELECT count(*) FROM given) AS given""")

# Unfinished pools: without a discount at Shopify, or with codes that are not there.
DUE_SHOPS = text("""
    SELECT DISTINCT p.shop_id FROM discount_pools p
    WHERE p.try_at <= :now AND (p.discount_id IS NULL OR EXISTS (
      SELECT FROM discount_codes c WHERE c.shop_id = p.shop_id AND c.pool_id = p.id AND c.live_at IS NULL))
    ORDER BY p.shop_id LIMIT 200""")
DUE_POOLS = text("""
    SELECT p.* FROM discount_pools p
    WHERE p.shop_id = :shop_id AND p.try_at <= :now AND (p.discount_id IS NULL OR EXISTS (
      SELECT FROM discount_codes c WHERE c.shop_id = p.shop_id AND c.pool_id = p.id AND c.live_at IS NULL))
    ORDER BY p.id""")
NOT_LIVE = text("""
    SELECT code FROM discount_codes WHERE shop_id = :shop_id AND pool_id = :pool_id AND live_at IS NULL
    ORDER BY id LIMIT :most""")
SET_LIVE = text("""
    UPDATE discount_codes SET live_at = :now
    WHERE shop_id = :shop_id AND pool_id = :pool_id AND live_at IS NULL
      AND code = ANY(CAST(:codes AS text[]))""")


def with_codes(shop_id: int, pool_id: int, people: Select[Any]) -> Select[Any]:
    """`people`, each with a free code of the pool as `discount_code`; empty where there are not enough.

    The codes are locked until the transaction ends, those that somebody else takes are passed over.
    """
    persons = people.subquery("persons")
    wanted = select(func.count()).select_from(people.subquery("counted")).scalar_subquery()
    taken = (
        select(Code.id, Code.code)
        .where(Code.shop_id == shop_id, Code.pool_id == pool_id)
        .where(Code.live_at.is_not(None), Code.message_id.is_(None))
        .order_by(Code.id)
        .limit(wanted)
        .with_for_update(skip_locked=True)
        .cte("taken")
    )
    # A lock and a window do not go together in one query.
    codes = select(taken.c.code, func.row_number().over(order_by=taken.c.id).label("place")).subquery("codes")
    placed = select(*persons.c, func.row_number().over(order_by=persons.c.id).label("place")).subquery(
        "placed"
    )
    columns = [column for column in placed.c if column.name != "place"]
    # There are never more codes than people, so FULL gives what LEFT would give. But it cannot be done by a
    # nested loop, which the planner likes where it knows nothing of the numbers: 20,000 people took 90 s.
    joined = placed.join(codes, codes.c.place == placed.c.place, full=True)
    return select(*columns, codes.c.code.label(CODE_COLUMN)).select_from(joined)
