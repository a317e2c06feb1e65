"""0001 the tables of the first release."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "account",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("password_hash", sa.String(length=200), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.String(length=24), nullable=False),
        sa.Column("signed_in_at", sa.String(length=24), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account")),
        sa.UniqueConstraint("email", name=op.f("uq_account_email")),
    )
    op.create_table(
        "day_secret",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("secret", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_day_secret")),
    )
    op.create_table(
        "exposure",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("offer", sa.String(length=80), nullable=False),
        sa.Column("visitor", sa.String(length=32), nullable=False),
        sa.Column("variant", sa.String(length=2), nullable=False),
        sa.Column("at", sa.String(length=24), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("counted", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exposure")),
    )
    with op.batch_alter_table("exposure", schema=None) as batch_op:
        batch_op.create_index(
            "ix_exposure_uncounted", ["offer", "visitor"], unique=False,
            sqlite_where=sa.text("counted = 0"), postgresql_where=sa.text("NOT counted"),
        )
        batch_op.create_index(
            "uq_exposure_offer_visitor_variant_day", ["offer", "visitor", "variant", "day"], unique=True
        )

    op.create_table(
        "gone_mail",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("address_hash", sa.String(length=64), nullable=False),
        sa.Column("at", sa.String(length=24), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gone_mail")),
    )
    with op.batch_alter_table("gone_mail", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_gone_mail_address_hash"), ["address_hash"], unique=False)

    op.create_table(
        "hit",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", sa.String(length=24), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("path", sa.String(length=400), nullable=False),
        sa.Column("offer", sa.String(length=80), nullable=False),
        sa.Column("variant", sa.String(length=2), nullable=False),
        sa.Column("visitor", sa.String(length=32), nullable=False),
        sa.Column("source", sa.String(length=120), nullable=False),
        sa.Column("campaign", sa.String(length=120), nullable=False),
        sa.Column("device", sa.String(length=12), nullable=False),
        sa.Column("excluded", sa.String(length=16), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hit")),
    )
    with op.batch_alter_table("hit", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_hit_at"), ["at"], unique=False)

    op.create_table(
        "mail_pause",
        sa.Column("scope", sa.String(length=260), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("since_at", sa.String(length=24), nullable=False),
        sa.Column("until_at", sa.String(length=24), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("scope", name=op.f("pk_mail_pause")),
    )
    op.create_table(
        "suppression",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("address_hash", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.String(length=20), nullable=False),
        sa.Column("scope", sa.String(length=12), nullable=False),
        sa.Column("at", sa.String(length=24), nullable=False),
        sa.Column("until", sa.String(length=24), nullable=True),
        sa.Column("lifted_at", sa.String(length=24), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_suppression")),
    )
    with op.batch_alter_table("suppression", schema=None) as batch_op:
        batch_op.create_index(
            "uq_suppression_address_hash_reason_scope", ["address_hash", "reason", "scope"], unique=True
        )

    op.create_table(
        "tally",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("path", sa.String(length=400), nullable=False),
        sa.Column("variant", sa.String(length=2), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("excluded", sa.String(length=16), nullable=False),
        sa.Column("offer", sa.String(length=80), nullable=False),
        sa.Column("hits", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("day", "path", "variant", "kind", "excluded", name=op.f("pk_tally")),
    )
    with op.batch_alter_table("tally", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_tally_offer"), ["offer"], unique=False)

    op.create_table(
        "visitor",
        sa.Column("visitor", sa.String(length=32), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("at", sa.String(length=24), nullable=False),
        sa.Column("first_page", sa.String(length=400), nullable=False),
        sa.Column("referrer", sa.String(length=400), nullable=False),
        sa.Column("source", sa.String(length=120), nullable=False),
        sa.Column("utm_source", sa.String(length=120), nullable=False),
        sa.Column("utm_medium", sa.String(length=120), nullable=False),
        sa.Column("utm_campaign", sa.String(length=120), nullable=False),
        sa.Column("utm_term", sa.String(length=120), nullable=False),
        sa.Column("utm_content", sa.String(length=120), nullable=False),
        sa.PrimaryKeyConstraint("visitor", name=op.f("pk_visitor")),
    )
    with op.batch_alter_table("visitor", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_visitor_day"), ["day"], unique=False)

    op.create_table(
        "wording",
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("purpose", sa.String(length=40), nullable=False),
        sa.Column("language", sa.String(length=20), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_wording")),
    )
    op.create_table(
        "audit_entry",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", sa.String(length=24), nullable=False),
        sa.Column("account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("actor", sa.String(length=254), nullable=False),
        sa.Column("action", sa.String(length=60), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.Column("seal", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_audit_entry_account_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_entry")),
    )
    with op.batch_alter_table("audit_entry", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_audit_entry_at"), ["at"], unique=False)
        batch_op.create_index(batch_op.f("ix_audit_entry_subject"), ["subject"], unique=False)

    op.create_table(
        "desk_session",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("secret_hash", sa.String(length=64), nullable=False),
        sa.Column("account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("created_at", sa.String(length=24), nullable=False),
        sa.Column("seen_at", sa.String(length=24), nullable=False),
        sa.Column("ended_at", sa.String(length=24), nullable=True),
        sa.Column("browser", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_desk_session_account_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_desk_session")),
        sa.UniqueConstraint("secret_hash", name=op.f("uq_desk_session_secret_hash")),
    )
    with op.batch_alter_table("desk_session", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_desk_session_account_id"), ["account_id"], unique=False)

    op.create_table(
        "company",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("domain", sa.String(length=253), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("size", sa.Integer(), nullable=True),
        sa.Column("industry", sa.String(length=80), nullable=False),
        sa.Column("revenue", sa.BigInteger(), nullable=True),
        sa.Column("country", sa.String(length=80), nullable=False),
        sa.Column("at", sa.String(length=24), nullable=False),
        sa.Column("source", sa.String(length=120), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_company")),
        sa.UniqueConstraint("domain", name=op.f("uq_company_domain")),
    )
    op.create_table(
        "lead",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("key", sa.String(length=22), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("address", sa.String(length=254), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("first_name", sa.String(length=120), nullable=False),
        sa.Column("last_name", sa.String(length=120), nullable=False),
        sa.Column("company", sa.String(length=200), nullable=False),
        sa.Column("job_title", sa.String(length=200), nullable=False),
        sa.Column("phone", sa.String(length=60), nullable=False),
        sa.Column("country", sa.String(length=80), nullable=False),
        sa.Column("custom", sa.JSON(), nullable=False),
        sa.Column("stage", sa.String(length=12), nullable=False),
        sa.Column("stage_at", sa.String(length=24), nullable=True),
        sa.Column("score", sa.Integer(), nullable=False),
        sa.Column("fit", sa.Integer(), nullable=False),
        sa.Column("interest", sa.Integer(), nullable=False),
        sa.Column("quality", sa.Integer(), nullable=True),
        sa.Column("company_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("merged_into_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("look_at", sa.String(length=24), nullable=True),
        sa.Column("acted_at", sa.String(length=24), nullable=True),
        sa.Column("owner_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("tags_text", sa.Text(), nullable=False),
        sa.Column("offers_text", sa.Text(), nullable=False),
        sa.Column("source", sa.String(length=120), nullable=False),
        sa.Column("consent_text", sa.String(length=200), nullable=False),
        sa.Column("plain", sa.Boolean(), nullable=False),
        sa.Column("captured_at", sa.String(length=24), nullable=False),
        sa.Column("last_capture_at", sa.String(length=24), nullable=False),
        sa.Column("confirmed_at", sa.String(length=24), nullable=True),
        sa.Column("unsubscribed_at", sa.String(length=24), nullable=True),
        sa.Column("paused_until", sa.String(length=24), nullable=True),
        sa.ForeignKeyConstraint(["company_id"], ["company.id"], name=op.f("fk_lead_company_id"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["merged_into_id"], ["lead.id"], name=op.f("fk_lead_merged_into_id"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["owner_id"], ["account.id"], name=op.f("fk_lead_owner_id"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lead")),
        sa.UniqueConstraint("email", name=op.f("uq_lead_email")),
        sa.UniqueConstraint("key", name=op.f("uq_lead_key")),
    )
    with op.batch_alter_table("lead", schema=None) as batch_op:
        batch_op.create_index("ix_lead_captured_at_id", ["captured_at", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_lead_company_id"), ["company_id"], unique=False)
        batch_op.create_index(
            "ix_lead_look_at", ["look_at"], unique=False,
            sqlite_where=sa.text("look_at IS NOT NULL"), postgresql_where=sa.text("look_at IS NOT NULL"),
        )
        batch_op.create_index(
            "ix_lead_merged_into_id", ["merged_into_id"], unique=False,
            sqlite_where=sa.text("merged_into_id IS NOT NULL"), postgresql_where=sa.text("merged_into_id IS NOT NULL"),
        )
        batch_op.create_index("ix_lead_owner_id_score_id", ["owner_id", "score", "id"], unique=False)
        batch_op.create_index(
            "ix_lead_owner_id_stage_score_id", ["owner_id", "stage", "score", "id"], unique=False,
        )
        for by in (["acted_at", "id"], ["score", "id"], ["stage_at", "id"], ["stage", "score", "id"],
                   ["stage", "stage_at", "id"]):
            batch_op.create_index(
                "_".join(["ix_lead", *by]), by, unique=False,
                sqlite_where=sa.text("merged_into_id IS NULL"), postgresql_where=sa.text("merged_into_id IS NULL"),
            )

    op.create_table(
        "lead_fact",
        sa.Column("lead_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("ref", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("name", sa.String(length=400), nullable=False),
        sa.Column("at", sa.String(length=24), nullable=False),
        sa.Column("value", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["lead_id"], ["lead.id"], name=op.f("fk_lead_fact_lead_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("lead_id", "ref", name=op.f("pk_lead_fact")),
    )
    with op.batch_alter_table("lead_fact", schema=None) as batch_op:
        batch_op.create_index("ix_lead_fact_kind_name_at_lead_id", ["kind", "name", "at", "lead_id"], unique=False)

    op.create_table(
        "page_visit",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("lead_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", sa.String(length=24), nullable=False),
        sa.Column("path", sa.String(length=400), nullable=False),
        sa.Column("offer", sa.String(length=80), nullable=False),
        sa.ForeignKeyConstraint(["lead_id"], ["lead.id"], name=op.f("fk_page_visit_lead_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_page_visit")),
    )
    with op.batch_alter_table("page_visit", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_page_visit_at"), ["at"], unique=False)
        batch_op.create_index("ix_page_visit_lead_id_at", ["lead_id", "at"], unique=False)

    op.create_table(
        "letter_click",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("lead_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", sa.String(length=24), nullable=False),
        sa.Column("offer", sa.String(length=80), nullable=False),
        sa.Column("step", sa.String(length=80), nullable=False),
        sa.Column("path", sa.String(length=400), nullable=False),
        sa.ForeignKeyConstraint(["lead_id"], ["lead.id"], name=op.f("fk_letter_click_lead_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_letter_click")),
    )
    with op.batch_alter_table("letter_click", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_letter_click_at"), ["at"], unique=False)
        batch_op.create_index("ix_letter_click_lead_id_at", ["lead_id", "at"], unique=False)

    op.create_table(
        "sign_in_link",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("secret_hash", sa.String(length=64), nullable=False),
        sa.Column("account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("purpose", sa.String(length=16), nullable=False),
        sa.Column("expires_at", sa.String(length=24), nullable=False),
        sa.Column("used_at", sa.String(length=24), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_sign_in_link_account_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in_link")),
        sa.UniqueConstraint("secret_hash", name=op.f("uq_sign_in_link_secret_hash")),
    )
    with op.batch_alter_table("sign_in_link", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sign_in_link_account_id"), ["account_id"], unique=False)

    op.create_table(
        "capture",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("key", sa.String(length=22), nullable=False),
        sa.Column("once", sa.String(length=43), nullable=False),
        sa.Column("lead_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("offer", sa.String(length=80), nullable=False),
        sa.Column("form", sa.String(length=80), nullable=False),
        sa.Column("variant", sa.String(length=2), nullable=False),
        sa.Column("page", sa.String(length=400), nullable=False),
        sa.Column("answers", sa.JSON(), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("at", sa.String(length=24), nullable=False),
        sa.Column("proven_at", sa.String(length=24), nullable=True),
        sa.Column("quarantine", sa.String(length=40), nullable=False),
        sa.Column("visitor", sa.String(length=32), nullable=False),
        sa.Column("address_prefix", sa.String(length=64), nullable=False),
        sa.Column("browser", sa.String(length=200), nullable=False),
        sa.Column("language", sa.String(length=20), nullable=False),
        sa.Column("source", sa.String(length=120), nullable=False),
        sa.Column("referrer", sa.String(length=400), nullable=False),
        sa.Column("first_page", sa.String(length=400), nullable=False),
        sa.Column("utm_source", sa.String(length=120), nullable=False),
        sa.Column("utm_medium", sa.String(length=120), nullable=False),
        sa.Column("utm_campaign", sa.String(length=120), nullable=False),
        sa.Column("utm_term", sa.String(length=120), nullable=False),
        sa.Column("utm_content", sa.String(length=120), nullable=False),
        sa.ForeignKeyConstraint(["lead_id"], ["lead.id"], name=op.f("fk_capture_lead_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_capture")),
        sa.UniqueConstraint("key", name=op.f("uq_capture_key")),
        sa.UniqueConstraint("once", name=op.f("uq_capture_once")),
    )
    with op.batch_alter_table("capture", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_capture_at"), ["at"], unique=False)
        batch_op.create_index(batch_op.f("ix_capture_lead_id"), ["lead_id"], unique=False)
        batch_op.create_index(
            "ix_capture_held", ["lead_id"], unique=False,
            sqlite_where=sa.text("quarantine <> ''"), postgresql_where=sa.text("quarantine <> ''"),
        )
        batch_op.create_index("ix_capture_offer_at", ["offer", "at"], unique=False)

    op.create_table(
        "known_visitor",
        sa.Column("visitor", sa.String(length=32), nullable=False),
        sa.Column("lead_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("capture_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("unit", sa.String(length=32), nullable=False),
        sa.Column("at", sa.String(length=24), nullable=False),
        sa.Column("until", sa.String(length=24), nullable=False),
        sa.ForeignKeyConstraint(["capture_id"], ["capture.id"], name=op.f("fk_known_visitor_capture_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["lead_id"], ["lead.id"], name=op.f("fk_known_visitor_lead_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("visitor", name=op.f("pk_known_visitor")),
    )
    with op.batch_alter_table("known_visitor", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_known_visitor_capture_id"), ["capture_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_known_visitor_lead_id"), ["lead_id"], unique=False)

    op.create_table(
        "lead_offer",
        sa.Column("lead_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("offer", sa.String(length=80), nullable=False),
        sa.Column("at", sa.String(length=24), nullable=False),
        sa.Column("source", sa.String(length=120), nullable=False),
        sa.ForeignKeyConstraint(["lead_id"], ["lead.id"], name=op.f("fk_lead_offer_lead_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("lead_id", "offer", name=op.f("pk_lead_offer")),
    )
    with op.batch_alter_table("lead_offer", schema=None) as batch_op:
        batch_op.create_index("ix_lead_offer_offer_lead_id", ["offer", "lead_id"], unique=False)

    op.create_table(
        "lead_tag",
        sa.Column("lead_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("tag", sa.String(length=60), nullable=False),
        sa.Column("at", sa.String(length=24), nullable=False),
        sa.Column("source", sa.String(length=120), nullable=False),
        sa.ForeignKeyConstraint(["lead_id"], ["lead.id"], name=op.f("fk_lead_tag_lead_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("lead_id", "tag", name=op.f("pk_lead_tag")),
    )
    with op.batch_alter_table("lead_tag", schema=None) as batch_op:
        batch_op.create_index("ix_lead_tag_tag_lead_id", ["tag", "lead_id"], unique=False)

    op.create_table(
        "consent",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("lead_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("capture_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("purpose", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("wording_hash", sa.String(length=64), nullable=True),
        sa.Column("form", sa.String(length=80), nullable=False),
        sa.Column("page", sa.String(length=400), nullable=False),
        sa.Column("variant", sa.String(length=2), nullable=False),
        sa.Column("way", sa.String(length=40), nullable=False),
        sa.Column("at", sa.String(length=24), nullable=False),
        sa.Column("address_prefix", sa.String(length=64), nullable=False),
        sa.Column("browser", sa.String(length=200), nullable=False),
        sa.Column("salt", sa.String(length=22), nullable=True),
        sa.ForeignKeyConstraint(
            ["capture_id"], ["capture.id"], name=op.f("fk_consent_capture_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["lead_id"], ["lead.id"], name=op.f("fk_consent_lead_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["wording_hash"], ["wording.hash"], name=op.f("fk_consent_wording_hash")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent")),
    )
    with op.batch_alter_table("consent", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_consent_capture_id"), ["capture_id"], unique=False)
        batch_op.create_index("ix_consent_lead_id_purpose", ["lead_id", "purpose"], unique=False)
        batch_op.create_index(
            "ix_consent_unsealed", ["at", "id"], unique=False,
            sqlite_where=sa.text("salt IS NULL"), postgresql_where=sa.text("salt IS NULL"),
        )

    op.create_table(
        "consent_seal",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("consent_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("happened_at", sa.String(length=24), nullable=False),
        sa.Column("at", sa.String(length=24), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("why", sa.String(length=60), nullable=False),
        sa.Column("seal", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent_seal")),
    )
    with op.batch_alter_table("consent_seal", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_consent_seal_consent_id"), ["consent_id"], unique=False)

    op.create_table(
        "conversion",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("offer", sa.String(length=80), nullable=False),
        sa.Column("visitor", sa.String(length=32), nullable=False),
        sa.Column("variant", sa.String(length=2), nullable=False),
        sa.Column("goal", sa.String(length=12), nullable=False),
        sa.Column("value", sa.Double(), nullable=True),
        sa.Column("at", sa.String(length=24), nullable=False),
        sa.Column("capture_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("counted", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["capture_id"], ["capture.id"], name=op.f("fk_conversion_capture_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_conversion")),
    )
    with op.batch_alter_table("conversion", schema=None) as batch_op:
        batch_op.create_index("ix_conversion_offer_visitor", ["offer", "visitor"], unique=False)
        batch_op.create_index(
            "ix_conversion_uncounted", ["offer", "visitor"], unique=False,
            sqlite_where=sa.text("counted = 0"), postgresql_where=sa.text("NOT counted"),
        )
        batch_op.create_index("uq_conversion_capture_id_goal", ["capture_id", "goal"], unique=True)

    op.create_table(
        "download_grant",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("key", sa.String(length=22), nullable=False),
        sa.Column("lead_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("capture_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("offer", sa.String(length=80), nullable=False),
        sa.Column("created_at", sa.String(length=24), nullable=False),
        sa.Column("expires_at", sa.String(length=24), nullable=False),
        sa.Column("uses_left", sa.Integer(), nullable=False),
        sa.Column("proves", sa.Boolean(), nullable=False),
        sa.Column("revoked_at", sa.String(length=24), nullable=True),
        sa.ForeignKeyConstraint(
            ["capture_id"], ["capture.id"], name=op.f("fk_download_grant_capture_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["lead_id"], ["lead.id"], name=op.f("fk_download_grant_lead_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_download_grant")),
        sa.UniqueConstraint("key", name=op.f("uq_download_grant_key")),
    )
    with op.batch_alter_table("download_grant", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_download_grant_capture_id"), ["capture_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_download_grant_lead_id"), ["lead_id"], unique=False)

    op.create_table(
        "download",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("key", sa.String(length=22), nullable=False),
        sa.Column("grant_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("lead_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("offer", sa.String(length=80), nullable=False),
        sa.Column("at", sa.String(length=24), nullable=False),
        sa.Column("address_prefix", sa.String(length=64), nullable=False),
        sa.Column("browser", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(
            ["grant_id"], ["download_grant.id"], name=op.f("fk_download_grant_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["lead_id"], ["lead.id"], name=op.f("fk_download_lead_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_download")),
        sa.UniqueConstraint("key", name=op.f("uq_download_key")),
    )
    with op.batch_alter_table("download", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_download_grant_id"), ["grant_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_download_lead_id"), ["lead_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_download_offer"), ["offer"], unique=False)

    op.create_table(
        "coupon",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("offer", sa.String(length=80), nullable=False),
        sa.Column("code", sa.String(length=100), nullable=False),
        sa.Column("lead_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("at", sa.String(length=24), nullable=False),
        sa.ForeignKeyConstraint(["lead_id"], ["lead.id"], name=op.f("fk_coupon_lead_id"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_coupon")),
    )
    with op.batch_alter_table("coupon", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_coupon_lead_id"), ["lead_id"], unique=False)
        batch_op.create_index("ix_coupon_offer_code", ["offer", "code"], unique=True)
        batch_op.create_index("ix_coupon_offer_lead_id", ["offer", "lead_id"], unique=True)

    op.create_table(
        "attendance",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("offer", sa.String(length=80), nullable=False),
        sa.Column("starts_at", sa.String(length=24), nullable=False),
        sa.Column("lead_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", sa.String(length=24), nullable=False),
        sa.ForeignKeyConstraint(["lead_id"], ["lead.id"], name=op.f("fk_attendance_lead_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attendance")),
    )
    with op.batch_alter_table("attendance", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_attendance_lead_id"), ["lead_id"], unique=False)
        batch_op.create_index("ix_attendance_offer_starts_at_lead_id", ["offer", "starts_at", "lead_id"], unique=True)

    op.create_table(
        "lead_import",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", sa.String(length=24), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("file", sa.String(length=200), nullable=False),
        sa.Column("options", sa.JSON(), nullable=False),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.Column("actor", sa.String(length=254), nullable=False),
        sa.Column("account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("finished_at", sa.String(length=24), nullable=True),
        sa.Column("undone_at", sa.String(length=24), nullable=True),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("upload", sa.String(length=40), nullable=False),
        sa.Column("at_desk", sa.Boolean(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("row", sa.Integer(), nullable=False),
        sa.Column("log", sa.JSON(), nullable=False),
        sa.Column("lease_until", sa.String(length=24), nullable=True),
        sa.Column("problem", sa.String(length=400), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_lead_import_account_id"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lead_import")),
    )
    with op.batch_alter_table("lead_import", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_lead_import_fingerprint"), ["fingerprint"], unique=False)

    op.create_table(
        "imported",
        sa.Column("capture_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("import_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("made_lead", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["capture_id"], ["capture.id"], name=op.f("fk_imported_capture_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["import_id"], ["lead_import.id"], name=op.f("fk_imported_import_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("capture_id", name=op.f("pk_imported")),
    )
    with op.batch_alter_table("imported", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_imported_import_id"), ["import_id"], unique=False)

    op.create_table(
        "import_refusal",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("import_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(length=400), nullable=False),
        sa.Column("cells", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["import_id"], ["lead_import.id"], name=op.f("fk_import_refusal_import_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_refusal")),
    )
    with op.batch_alter_table("import_refusal", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_import_refusal_import_id"), ["import_id"], unique=False)

    op.create_table(
        "export_layout",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("shared", sa.Boolean(), nullable=False),
        sa.Column("columns", sa.JSON(), nullable=False),
        sa.Column("at", sa.String(length=24), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_export_layout_account_id"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_export_layout")),
    )
    with op.batch_alter_table("export_layout", schema=None) as batch_op:
        batch_op.create_index("ix_export_layout_account_id_name", ["account_id", "name"], unique=True)

    op.create_table(
        "export_memory",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("who", sa.String(length=60), nullable=False),
        sa.Column("layout", sa.String(length=60), nullable=False),
        sa.Column("account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("at", sa.String(length=24), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_export_memory_account_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_export_memory")),
    )
    with op.batch_alter_table("export_memory", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_export_memory_account_id"), ["account_id"], unique=False)
        batch_op.create_index("ix_export_memory_who_layout", ["who", "layout"], unique=True)

    op.create_table(
        "export_seen",
        sa.Column("lead_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("memory_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("digest", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["lead_id"], ["lead.id"], name=op.f("fk_export_seen_lead_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["memory_id"], ["export_memory.id"], name=op.f("fk_export_seen_memory_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("lead_id", "memory_id", name=op.f("pk_export_seen")),
        sqlite_with_rowid=False,
    )

    op.create_table(
        "message",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("key", sa.String(length=22), nullable=False),
        sa.Column("once", sa.String(length=120), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("lead_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("capture_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("grant_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("offer", sa.String(length=80), nullable=False),
        sa.Column("step", sa.String(length=80), nullable=False),
        sa.Column("topic", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.String(length=24), nullable=False),
        sa.Column("first_due_at", sa.String(length=24), nullable=False),
        sa.Column("give_up_at", sa.String(length=24), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("lease_until", sa.String(length=24), nullable=True),
        sa.Column("worker", sa.String(length=60), nullable=False),
        sa.Column("begun_at", sa.String(length=24), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("sent_at", sa.String(length=24), nullable=True),
        sa.Column("created_at", sa.String(length=24), nullable=False),
        sa.Column("values", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_message_account_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["capture_id"], ["capture.id"], name=op.f("fk_message_capture_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["grant_id"], ["download_grant.id"], name=op.f("fk_message_grant_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["lead_id"], ["lead.id"], name=op.f("fk_message_lead_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_message")),
        sa.UniqueConstraint("key", name=op.f("uq_message_key")),
        sa.UniqueConstraint("once", name=op.f("uq_message_once")),
    )
    with op.batch_alter_table("message", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_message_capture_id"), ["capture_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_message_lead_id"), ["lead_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_message_offer"), ["offer"], unique=False)
        batch_op.create_index("ix_message_state_priority_due_at", ["state", "priority", "due_at"], unique=False)

    op.create_table(
        "attempt",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("message_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", sa.String(length=24), nullable=False),
        sa.Column("outcome", sa.String(length=12), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"], name=op.f("fk_attempt_message_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attempt")),
    )
    with op.batch_alter_table("attempt", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_attempt_message_id"), ["message_id"], unique=False)

    op.create_table(
        "api_key",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("prefix", sa.String(length=12), nullable=False),
        sa.Column("secret_hash", sa.String(length=64), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("created_at", sa.String(length=24), nullable=False),
        sa.Column("created_by", sa.String(length=254), nullable=False),
        sa.Column("revoked_at", sa.String(length=24), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_key")),
        sa.UniqueConstraint("prefix", name=op.f("uq_api_key_prefix")),
    )
    op.create_table(
        "experiment",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("offer", sa.String(length=80), nullable=False),
        sa.Column("goal", sa.String(length=12), nullable=False),
        sa.Column("hypothesis", sa.Text(), nullable=False),
        sa.Column("variants", sa.JSON(), nullable=False),
        sa.Column("plan", sa.JSON(), nullable=True),
        sa.Column("started_at", sa.String(length=24), nullable=False),
        sa.Column("ended_at", sa.String(length=24), nullable=True),
        sa.Column("ending", sa.String(length=12), nullable=False),
        sa.Column("shipped_variant", sa.String(length=2), nullable=False),
        sa.Column("learned", sa.Text(), nullable=False),
        sa.Column("paused_at", sa.String(length=24), nullable=True),
        sa.Column("versions", sa.JSON(), nullable=False),
        sa.Column("asked", sa.JSON(), nullable=False),
        sa.Column("base", sa.JSON(), nullable=False),
        sa.Column("state", sa.JSON(), nullable=True),
        sa.Column("result", sa.JSON(), nullable=True),
        sa.Column("looked_at", sa.String(length=24), nullable=True),
        sa.Column("daily_on", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_experiment")),
    )
    with op.batch_alter_table("experiment", schema=None) as batch_op:
        batch_op.create_index("ix_experiment_offer_started_at", ["offer", "started_at"], unique=False)
        batch_op.create_index("uq_experiment_offer_open", ["offer"], unique=True, sqlite_where=sa.text("ended_at IS NULL"), postgresql_where=sa.text("ended_at IS NULL"))

    op.create_table(
        "exclusion",
        sa.Column("experiment_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("reason", sa.String(length=20), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["experiment_id"], ["experiment.id"], name=op.f("fk_exclusion_experiment_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("experiment_id", "reason", name=op.f("pk_exclusion")),
    )
    op.create_table(
        "experiment_event",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("experiment_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", sa.String(length=24), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("actor", sa.String(length=254), nullable=False),
        sa.ForeignKeyConstraint(["experiment_id"], ["experiment.id"], name=op.f("fk_experiment_event_experiment_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_experiment_event")),
    )
    with op.batch_alter_table("experiment_event", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_experiment_event_experiment_id"), ["experiment_id"], unique=False)

    op.create_table(
        "experiment_look",
        sa.Column("experiment_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("at", sa.String(length=24), nullable=False),
        sa.Column("result", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["experiment_id"], ["experiment.id"], name=op.f("fk_experiment_look_experiment_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("experiment_id", "day", name=op.f("pk_experiment_look")),
    )
    op.create_table(
        "experiment_period",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("experiment_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("weights", sa.JSON(), nullable=False),
        sa.Column("begins_at", sa.String(length=24), nullable=False),
        sa.Column("ends_at", sa.String(length=24), nullable=True),
        sa.Column("why", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["experiment_id"], ["experiment.id"], name=op.f("fk_experiment_period_experiment_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_experiment_period")),
    )
    with op.batch_alter_table("experiment_period", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_experiment_period_experiment_id"), ["experiment_id"], unique=False)

    op.create_table(
        "arm",
        sa.Column("period_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("variant", sa.String(length=2), nullable=False),
        sa.Column("visitors", sa.Integer(), nullable=False),
        sa.Column("conversions", sa.Integer(), nullable=False),
        sa.Column("total", sa.Double(), nullable=False),
        sa.Column("squares", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["period_id"], ["experiment_period.id"], name=op.f("fk_arm_period_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("period_id", "variant", name=op.f("pk_arm")),
    )
    op.create_table(
        "enrolment",
        sa.Column("experiment_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("visitor", sa.String(length=32), nullable=False),
        sa.Column("period_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("variant", sa.String(length=2), nullable=False),
        sa.Column("at", sa.String(length=24), nullable=False),
        sa.Column("converted_at", sa.String(length=24), nullable=True),
        sa.Column("value", sa.Double(), nullable=True),
        sa.Column("excluded", sa.String(length=20), nullable=False),
        sa.ForeignKeyConstraint(["experiment_id"], ["experiment.id"], name=op.f("fk_enrolment_experiment_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["period_id"], ["experiment_period.id"], name=op.f("fk_enrolment_period_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("experiment_id", "visitor", name=op.f("pk_enrolment")),
    )
    op.create_table(
        "sale",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("lead_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", sa.String(length=24), nullable=False),
        sa.Column("cents", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("actor", sa.String(length=254), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_sale_account_id"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["lead_id"], ["lead.id"], name=op.f("fk_sale_lead_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sale")),
    )
    with op.batch_alter_table("sale", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sale_lead_id"), ["lead_id"], unique=False)

    op.create_table(
        "stage_change",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("lead_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", sa.String(length=24), nullable=False),
        sa.Column("was", sa.String(length=12), nullable=False),
        sa.Column("stage", sa.String(length=12), nullable=False),
        sa.Column("way", sa.String(length=12), nullable=False),
        sa.Column("rule", sa.String(length=120), nullable=False),
        sa.Column("version", sa.String(length=16), nullable=False),
        sa.Column("hands_over", sa.Boolean(), nullable=False),
        sa.Column("evidence", sa.JSON(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("actor", sa.String(length=254), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_stage_change_account_id"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["lead_id"], ["lead.id"], name=op.f("fk_stage_change_lead_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stage_change")),
    )
    with op.batch_alter_table("stage_change", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_stage_change_lead_id"), ["lead_id"], unique=False)

    op.create_table(
        "bant_answer",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("lead_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("question", sa.String(length=12), nullable=False),
        sa.Column("met", sa.Boolean(), nullable=True),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("at", sa.String(length=24), nullable=False),
        sa.Column("account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("actor", sa.String(length=254), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_bant_answer_account_id"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["lead_id"], ["lead.id"], name=op.f("fk_bant_answer_lead_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bant_answer")),
    )
    with op.batch_alter_table("bant_answer", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_bant_answer_lead_id"), ["lead_id"], unique=False)

    op.create_table(
        "lead_bant",
        sa.Column("lead_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("question", sa.String(length=12), nullable=False),
        sa.Column("met", sa.Boolean(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("source", sa.String(length=120), nullable=False),
        sa.Column("at", sa.String(length=24), nullable=False),
        sa.Column("actor", sa.String(length=254), nullable=False),
        sa.Column("ref", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(["lead_id"], ["lead.id"], name=op.f("fk_lead_bant_lead_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("lead_id", "question", name=op.f("pk_lead_bant")),
    )

    op.create_table(
        "product_event",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("once", sa.String(length=100), nullable=False),
        sa.Column("lead_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("at", sa.String(length=24), nullable=False),
        sa.Column("value", sa.Double(), nullable=False),
        sa.Column("received_at", sa.String(length=24), nullable=False),
        sa.Column("sender", sa.String(length=120), nullable=False),
        sa.ForeignKeyConstraint(["lead_id"], ["lead.id"], name=op.f("fk_product_event_lead_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_product_event")),
        sa.UniqueConstraint("once", name=op.f("uq_product_event_once")),
    )
    with op.batch_alter_table("product_event", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_product_event_lead_id"), ["lead_id"], unique=False)

    op.create_table(
        "quality_model",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", sa.String(length=24), nullable=False),
        sa.Column("rules", sa.String(length=16), nullable=False),
        sa.Column("accepted", sa.Integer(), nullable=False),
        sa.Column("rejected", sa.Integer(), nullable=False),
        sa.Column("shown", sa.Boolean(), nullable=False),
        sa.Column("learned", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quality_model")),
    )

    op.create_table(
        "rule_version",
        sa.Column("version", sa.String(length=16), nullable=False),
        sa.Column("at", sa.String(length=24), nullable=False),
        sa.Column("last_id", sa.BigInteger(), nullable=False),
        sa.Column("done_at", sa.String(length=24), nullable=True),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_rule_version")),
    )

    op.create_table(
        "handoff",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("key", sa.String(length=22), nullable=False),
        sa.Column("once", sa.String(length=60), nullable=False),
        sa.Column("lead_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", sa.String(length=24), nullable=False),
        sa.Column("stage", sa.String(length=12), nullable=False),
        sa.Column("offer", sa.String(length=80), nullable=False),
        sa.Column("rule", sa.String(length=120), nullable=False),
        sa.Column("context", sa.JSON(), nullable=False),
        sa.Column("owner_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("due_at", sa.String(length=24), nullable=True),
        sa.Column("contact_at", sa.String(length=24), nullable=True),
        sa.Column("look_at", sa.String(length=24), nullable=True),
        sa.Column("escalated_at", sa.String(length=24), nullable=True),
        sa.Column("escalations", sa.Integer(), nullable=False),
        sa.Column("decided_at", sa.String(length=24), nullable=True),
        sa.Column("reason", sa.String(length=60), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("way", sa.String(length=12), nullable=False),
        sa.Column("account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("actor", sa.String(length=254), nullable=False),
        sa.Column("ended_at", sa.String(length=24), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_handoff_account_id"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["lead_id"], ["lead.id"], name=op.f("fk_handoff_lead_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["owner_id"], ["account.id"], name=op.f("fk_handoff_owner_id"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_handoff")),
        sa.UniqueConstraint("key", name=op.f("uq_handoff_key")),
        sa.UniqueConstraint("once", name=op.f("uq_handoff_once")),
    )
    with op.batch_alter_table("handoff", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_handoff_lead_id"), ["lead_id"], unique=False)
        batch_op.create_index("ix_handoff_look_at", ["look_at"], unique=False, sqlite_where=sa.text("look_at IS NOT NULL"), postgresql_where=sa.text("look_at IS NOT NULL"))
        batch_op.create_index("ix_handoff_offer_at", ["offer", "at"], unique=False)
        batch_op.create_index("ix_handoff_owner_id_state", ["owner_id", "state"], unique=False)
        batch_op.create_index("uq_handoff_lead_id_open", ["lead_id"], unique=True, sqlite_where=sa.text("state = 'open'"), postgresql_where=sa.text("state = 'open'"))

    op.create_table(
        "assignment",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("lead_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", sa.String(length=24), nullable=False),
        sa.Column("owner_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("rule", sa.String(length=120), nullable=False),
        sa.Column("account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("actor", sa.String(length=254), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_assignment_account_id"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["lead_id"], ["lead.id"], name=op.f("fk_assignment_lead_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["owner_id"], ["account.id"], name=op.f("fk_assignment_owner_id"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assignment")),
    )
    with op.batch_alter_table("assignment", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_assignment_lead_id"), ["lead_id"], unique=False)
        batch_op.create_index("ix_assignment_rule_id", ["rule", "id"], unique=False)

    op.create_table(
        "activity",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("once", sa.String(length=60), nullable=False),
        sa.Column("lead_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("at", sa.String(length=24), nullable=False),
        sa.Column("made_at", sa.String(length=24), nullable=False),
        sa.Column("outcome", sa.String(length=20), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("message_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("actor", sa.String(length=254), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_activity_account_id"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["lead_id"], ["lead.id"], name=op.f("fk_activity_lead_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"], name=op.f("fk_activity_message_id"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_activity")),
        sa.UniqueConstraint("once", name=op.f("uq_activity_once")),
    )
    with op.batch_alter_table("activity", schema=None) as batch_op:
        batch_op.create_index("ix_activity_lead_id_at", ["lead_id", "at"], unique=False)
        batch_op.create_index(batch_op.f("ix_activity_message_id"), ["message_id"], unique=False)

    op.create_table(
        "task",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("once", sa.String(length=60), nullable=False),
        sa.Column("lead_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("due_at", sa.String(length=24), nullable=False),
        sa.Column("owner_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("made_at", sa.String(length=24), nullable=False),
        sa.Column("account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("actor", sa.String(length=254), nullable=False),
        sa.Column("reminded_at", sa.String(length=24), nullable=True),
        sa.Column("done_at", sa.String(length=24), nullable=True),
        sa.Column("done_by", sa.String(length=254), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_task_account_id"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["lead_id"], ["lead.id"], name=op.f("fk_task_lead_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["owner_id"], ["account.id"], name=op.f("fk_task_owner_id"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_task")),
        sa.UniqueConstraint("once", name=op.f("uq_task_once")),
    )
    with op.batch_alter_table("task", schema=None) as batch_op:
        batch_op.create_index("ix_task_due_at_unreminded", ["due_at"], unique=False, sqlite_where=sa.text("done_at IS NULL AND reminded_at IS NULL"), postgresql_where=sa.text("done_at IS NULL AND reminded_at IS NULL"))
        batch_op.create_index(batch_op.f("ix_task_lead_id"), ["lead_id"], unique=False)
        batch_op.create_index("ix_task_owner_id_due_at_open", ["owner_id", "due_at"], unique=False, sqlite_where=sa.text("done_at IS NULL"), postgresql_where=sa.text("done_at IS NULL"))

    op.create_table(
        "lead_word",
        sa.Column("word", sa.String(length=60).with_variant(sa.String(length=60, collation="C"), "postgresql"), nullable=False),
        sa.Column("lead_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(["lead_id"], ["lead.id"], name=op.f("fk_lead_word_lead_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("word", "lead_id", name=op.f("pk_lead_word")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_lead_word_lead_id_word", "lead_word", ["lead_id", "word"], unique=False)

    op.create_table(
        "saved_view",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("query", sa.Text(), nullable=False),
        sa.Column("shared", sa.Boolean(), nullable=False),
        sa.Column("at", sa.String(length=24), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_saved_view_account_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_view")),
    )
    op.create_index(op.f("ix_saved_view_account_id"), "saved_view", ["account_id"], unique=False)

    op.create_table(
        "scoring_edit",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", sa.String(length=24), nullable=False),
        sa.Column("before", sa.Text(), nullable=True),
        sa.Column("after", sa.Text(), nullable=True),
        sa.Column("account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("actor", sa.String(length=254), nullable=False),
        sa.Column("undone_at", sa.String(length=24), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_scoring_edit_account_id"),
                                ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scoring_edit")),
    )
    op.create_index(op.f("ix_scoring_edit_at"), "scoring_edit", ["at"], unique=False)

    op.create_table(
        "segment_edit",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", sa.String(length=24), nullable=False),
        sa.Column("segment", sa.String(length=60), nullable=False),
        sa.Column("before", sa.Text(), nullable=True),
        sa.Column("after", sa.Text(), nullable=True),
        sa.Column("follows", sa.String(length=60), nullable=False),
        sa.Column("account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("actor", sa.String(length=254), nullable=False),
        sa.Column("undone_at", sa.String(length=24), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_segment_edit_account_id"),
                                ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_segment_edit")),
    )
    op.create_index(op.f("ix_segment_edit_at"), "segment_edit", ["at"], unique=False)

    op.create_table(
        "lead_act",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", sa.String(length=24), nullable=False),
        sa.Column("account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("actor", sa.String(length=254), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("value", sa.String(length=200), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("undone_at", sa.String(length=24), nullable=True),
        sa.Column("undone_by", sa.String(length=254), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_lead_act_account_id"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lead_act")),
    )
    op.create_index(op.f("ix_lead_act_account_id"), "lead_act", ["account_id"], unique=False)
    op.create_index(op.f("ix_lead_act_at"), "lead_act", ["at"], unique=False)

    op.create_table(
        "lead_act_item",
        sa.Column("act_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("lead_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("before", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["act_id"], ["lead_act.id"], name=op.f("fk_lead_act_item_act_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["lead_id"], ["lead.id"], name=op.f("fk_lead_act_item_lead_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("act_id", "lead_id", name=op.f("pk_lead_act_item")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_lead_act_item_lead_id"), "lead_act_item", ["lead_id"], unique=False)
