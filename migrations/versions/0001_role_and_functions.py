"""The application's role, where the migrating role may make one, and the functions that tables use.

Locks: none.
"""

from __future__ import annotations

from alembic import op

revision = "0001"
down_revision = None

# A managed database often gives one ordinary role: then that role owns the tables and forced row-level
# security
# holds it too. Where the migrating role may create roles, the application gets one that owns nothing.
MAKE_ROLE = """
DO $$ BEGIN
  IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'astronote_app')
     AND (SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user) THEN
    CREATE ROLE astronote_app NOLOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE;
  END IF;
  IF EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'astronote_app') THEN
    GRANT USAGE ON SCHEMA public TO astronote_app;
    ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO astronote_app;
    ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO astronote_app;
  END IF;
END $$
"""

REFUSE_CHANGE = """
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$
"""

GSM = (
    "@£$¥èéùìòÇ\\nØø\\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&\\'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM_ESCAPED = "\\f^{}\\\\[~]|€"

# A name as it may stand in a text: no control characters, no braces, no outer blanks, at most 40
# characters. The same rule as app.messaging.text.template.clean_merge_value.
CONTROLS = "".join(f"\\u{code:04x}" for code in (*range(1, 0x20), *range(0x7F, 0xA0))) + "{}"
BLANKS = " " + "".join(
    f"\\u{code:04x}"
    for code in (0xA0, 0x1680, *range(0x2000, 0x200B), 0x2028, 0x2029, 0x202F, 0x205F, 0x3000)
)
MERGE_VALUE = f"""
CREATE FUNCTION merge_value(value text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURNS NULL ON NULL INPUT
AS $$ SELECT rtrim(left(btrim(translate(value, E'{CONTROLS}', ''), E'{BLANKS}'), 40), E'{BLANKS}') $$
"""

# Septets of a text in the GSM 03.38 alphabet (3GPP TS 23.038), -1 when a character is outside it. translate()
# with an empty target deletes: what is left over is not GSM-7; what the second call deleted costs two
# septets.
SMS_SEPTETS = f"""
CREATE FUNCTION sms_septets(value text) RETURNS smallint LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURNS NULL
  ON NULL INPUT
AS $$ SELECT (CASE WHEN translate(value, E'{GSM}{GSM_ESCAPED}', '') <> '' THEN -1
              ELSE 2 * length(value) - length(translate(value, E'{GSM_ESCAPED}', '')) END)::smallint $$
"""

# UTF-16 code units: characters outside the basic plane count two.
SMS_UTF16 = r"""
CREATE FUNCTION sms_utf16(value text) RETURNS smallint LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURNS NULL ON
  NULL INPUT
AS $$ SELECT (length(value) + CASE WHEN octet_length(value) = length(value) THEN 0
              ELSE length(regexp_replace(value, E'[\\u0001-\\uFFFF]+', '', 'g')) END)::smallint $$
"""

# The exact packer: no escape pair and no surrogate pair straddles two parts. The same rule as
# app.messaging.text.parts; a property test holds the two together.
SMS_PARTS = f"""
CREATE FUNCTION sms_parts(value text) RETURNS smallint LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE RETURNS
  NULL ON NULL INPUT
AS $$
DECLARE
  gsm boolean := sms_septets(value) >= 0;
  total int := CASE WHEN gsm THEN sms_septets(value) ELSE sms_utf16(value) END;
  room int := CASE WHEN gsm THEN 153 ELSE 67 END;
  parts int := 1;
  filled int := 0;
  units int;
  one text;
BEGIN
  IF total = 0 THEN RETURN 0; END IF;
  IF total <= (CASE WHEN gsm THEN 160 ELSE 70 END) THEN RETURN 1; END IF;
  FOREACH one IN ARRAY string_to_array(value, NULL) LOOP
    units := CASE WHEN gsm THEN CASE WHEN strpos(E'{GSM_ESCAPED}', one) > 0 THEN 2 ELSE 1 END
                  ELSE CASE WHEN octet_length(one) = 4 THEN 2 ELSE 1 END END;
    IF filled + units > room THEN parts := parts + 1; filled := 0; END IF;
    filled := filled + units;
  END LOOP;
  RETURN parts;
END $$
"""


def upgrade() -> None:
    for statement in (MAKE_ROLE, REFUSE_CHANGE, MERGE_VALUE, SMS_SEPTETS, SMS_UTF16, SMS_PARTS):
        op.get_bind().exec_driver_sql(statement.replace("%", "%%") if "%" in statement else statement)


def downgrade() -> None:
    op.execute(
        "DROP FUNCTION sms_parts(text), sms_utf16(text), sms_septets(text), merge_value(text),"
        " refuse_change()"
    )
