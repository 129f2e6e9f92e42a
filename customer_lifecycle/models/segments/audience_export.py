"""Hashed files of who joined and who left a segment, for advertising platforms.

In: a segment's customers and their contact persons, judged by consent, and what was exported
before. Out: two files to upload, a record that is never changed by hand, and the hashes for the
next comparison. Called by the export wizard of segments; privacy and retention also read it.
"""

import base64
import io

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import SQL

from ...tools.messages import AUDIENCE, Message

MANAGER = "sales_team.group_sale_manager"
#: where an audience goes, with the column headings and the phone numbers that it wants: Google
#: Customer Match hashes E.164 with its plus sign, Meta digits only. Both want e-mail addresses
#: trimmed and in lower case, and SHA-256 in lower-case hexadecimal digits.
PLATFORMS = {
    "google": ("Email", "Phone", SQL("person.phone_sanitized")),
    "meta": ("email", "phone", SQL("LTRIM(person.phone_sanitized, '+')")),
}


class LifecycleAudienceExport(models.Model):
    """The hand-over of a segment to an advertising platform: who was added and removed since.

    Only hashes leave the database, of people who may be contacted. What was exported stays: who,
    when, how many, the files.
    """

    _name = "lifecycle.audience.export"
    _description = "Audience Export"
    _order = "id desc"
    _rec_name = "segment_id"

    segment_id = fields.Many2one(
        "lifecycle.segment", required=True, ondelete="restrict", readonly=True, index=True
    )
    company_id = fields.Many2one("res.company", required=True, readonly=True)
    platform = fields.Selection(
        [("google", "Google Ads (Customer Match)"), ("meta", "Meta (Custom Audience)")],
        required=True,
        readonly=True,
    )
    campaign_id = fields.Many2one("utm.campaign", ondelete="restrict", readonly=True)
    user_id = fields.Many2one("res.users", string="Exported By", required=True, readonly=True)
    date = fields.Datetime(string="Exported On", required=True, readonly=True)
    audience_count = fields.Integer(
        string="Audience", readonly=True, help="People in the audience after this export."
    )
    added_count = fields.Integer(string="Added", readonly=True)
    removed_count = fields.Integer(string="Removed", readonly=True)
    left_out_count = fields.Integer(
        string="Left Out",
        readonly=True,
        help="People in the segment who must not be contacted, or have neither an e-mail address "
        "nor a complete phone number.",
    )
    addition_file = fields.Binary(string="Additions", attachment=True, readonly=True)
    addition_name = fields.Char(readonly=True)
    removal_file = fields.Binary(string="Removals", attachment=True, readonly=True)
    removal_name = fields.Char(readonly=True)

    # ----- EXPORT -----

    @api.model
    def _export(self, segment, platform, campaign=None):
        """Write who joined and left the audience since the last export to two files.

        :param segment: whose members in the present company are the audience
        :param platform: "google" or "meta"
        :return: the export
        """
        if not self.env.user.has_group(MANAGER):
            raise AccessError(
                self.env._("Only sales administrators may export audiences; ask one of them.")
            )
        segment.check_access("read")
        company = self.env.company
        campaign = campaign or segment.campaign_id
        # two exports at once would both add the same people
        segment.sudo().lock_for_update(allow_referencing=True)
        self.env.flush_all()
        left_out = self._collect_audience(segment, company, platform)
        cr = self.env.cr
        state = SQL(
            "segment_id = %s AND company_id = %s AND platform = %s",
            segment.id,
            company.id,
            platform,
        )
        pair = SQL("(entry.email_hash, entry.phone_hash)")
        now = SQL("(person.email_hash, person.phone_hash)")
        # platforms match either: what anybody in the audience still has must not be removed
        gone = SQL(
            """SELECT DISTINCT email_hash, phone_hash
                 FROM (SELECT CASE WHEN email_hash NOT IN (SELECT email_hash
                                                             FROM lifecycle_audience)
                                   THEN email_hash ELSE '' END AS email_hash,
                              CASE WHEN phone_hash NOT IN (SELECT phone_hash
                                                             FROM lifecycle_audience)
                                   THEN phone_hash ELSE '' END AS phone_hash
                         FROM lifecycle_audience_entry entry
                        WHERE %s AND NOT EXISTS (SELECT FROM lifecycle_audience person
                                                  WHERE %s = %s)) former
                WHERE email_hash <> '' OR phone_hash <> ''""",
            state,
            now,
            pair,
        )
        cr.execute(SQL("SELECT COUNT(*) FROM (%s) gone", gone))
        [removed] = cr.fetchone()
        removals = self._csv(gone, platform)
        cr.execute(
            SQL(
                """DELETE FROM lifecycle_audience_entry entry
                    WHERE %s AND NOT EXISTS (SELECT FROM lifecycle_audience person
                                              WHERE %s = %s)""",
                state,
                now,
                pair,
            )
        )
        cr.execute(
            SQL(
                """DELETE FROM lifecycle_audience person USING lifecycle_audience_entry entry
                    WHERE %s AND %s = %s""",
                state,
                now,
                pair,
            )
        )
        kept = cr.rowcount
        additions = self._csv(SQL("SELECT * FROM lifecycle_audience"), platform)
        cr.execute(
            SQL(
                """INSERT INTO lifecycle_audience_entry
                         (segment_id, company_id, platform, email_hash, phone_hash)
                   SELECT %s, %s, %s, email_hash, phone_hash FROM lifecycle_audience""",
                segment.id,
                company.id,
                platform,
            )
        )
        added = cr.rowcount
        cr.execute("DROP TABLE pg_temp.lifecycle_audience")
        stem = "-".join(
            part
            for part in (segment.name, campaign and campaign.name, platform)
            if part
        ).replace("/", "-")
        today = company._lifecycle_today()
        # managers may read exports, not write them: only this method makes them
        return self.sudo().create(
            {
                "segment_id": segment.id,
                "company_id": company.id,
                "platform": platform,
                "campaign_id": campaign.id if campaign else False,
                "user_id": self.env.uid,
                "date": fields.Datetime.now(),
                "audience_count": kept + added,
                "added_count": added,
                "removed_count": removed,
                "left_out_count": left_out,
                "addition_file": added and additions,
                "addition_name": f"{stem} {today} additions.csv",
                "removal_file": removed and removals,
                "removal_name": f"{stem} {today} removals.csv",
            }
        )

    @api.model
    def _collect_audience(self, segment, company, platform):
        """Temporary table ``lifecycle_audience`` of hashed addresses and numbers.

        The people of a segment are its customers and their contact persons, other companies'
        apart. Whoever is archived, excluded, blacklisted by e-mail or phone, has left a mailing
        list or has not agreed where that is needed is left out altogether; so is an address that
        e-mails come back from. Of a contact with several addresses each is judged and given.

        :return: number of people left out
        """
        cr = self.env.cr
        message = Message(company, AUDIENCE, "ads")
        more = self.env["lifecycle.opt.out"]._more_addresses(
            SQL(
                """SELECT person.id FROM lifecycle_segment_member member
                     JOIN lifecycle_profile profile ON profile.id = member.profile_id
                     JOIN res_partner person ON person.commercial_partner_id = profile.partner_id
                    WHERE member.segment_id = %s AND profile.company_id = %s""",
                segment.id,
                company.id,
            )
        )
        cr.execute("DROP TABLE IF EXISTS pg_temp.lifecycle_audience")
        cr.execute(
            SQL(
                """CREATE TEMPORARY TABLE lifecycle_audience AS
                   WITH people AS (
                       SELECT person.id,
                              CASE WHEN COALESCE(person.message_bounce, 0) = 0
                                   THEN address.email END AS email,
                              CASE WHEN person.phone_sanitized ~ '^\\+[1-9][0-9]{6,14}$'
                                   THEN %(phone)s END AS phone,
                              customer.active AND %(refusal)s IS NULL AS allowed
                         FROM lifecycle_segment_member member
                         JOIN lifecycle_profile profile
                           ON profile.id = member.profile_id AND profile.active
                         JOIN res_partner customer ON customer.id = profile.partner_id
                         JOIN res_partner person
                           ON person.commercial_partner_id = customer.id AND person.active
                          AND (person.id = customer.id OR person.type = 'contact')
                          AND (person.company_id IS NULL OR person.company_id = %(company)s)
                         JOIN (SELECT id, LOWER(TRIM(email_normalized)) AS email FROM res_partner
                                UNION ALL
                               SELECT * FROM unnest(%(more_ids)s::integer[], %(more)s::varchar[])
                              ) address ON address.id = person.id
                        WHERE member.segment_id = %(segment)s
                          AND profile.company_id = %(company)s
                   ), judged AS (
                       SELECT *, allowed AND COALESCE(NULLIF(email, ''), phone) IS NOT NULL AS ok
                         FROM people)
                   SELECT DISTINCT
                          COALESCE(CASE WHEN ok THEN encode(sha256(convert_to(
                              NULLIF(email, ''), 'UTF8')), 'hex') END, '') AS email_hash,
                          COALESCE(CASE WHEN ok THEN encode(sha256(convert_to(
                              phone, 'UTF8')), 'hex') END, '') AS phone_hash,
                          ok AS allowed, CASE WHEN ok THEN 0 ELSE id END AS nobody
                     FROM judged
                    -- who may be reached by another address is not left out
                    WHERE ok OR id <> ALL(%(more_ids)s::integer[])
                       OR NOT EXISTS (SELECT FROM judged other
                                       WHERE other.id = judged.id AND other.ok)""",
                phone=PLATFORMS[platform][2],
                segment=segment.id,
                company=company.id,
                more_ids=[partner_id for partner_id, _email in more],
                more=[email for _partner_id, email in more],
                refusal=self.env["lifecycle.consent"]._refusal_sql(
                    message, "person", "customer", SQL("address.email")
                ),
            )
        )
        cr.execute("DELETE FROM lifecycle_audience WHERE NOT allowed")
        left_out = cr.rowcount
        cr.execute("ALTER TABLE lifecycle_audience DROP allowed, DROP nobody")
        return left_out

    @api.model
    def _csv(self, query, platform):
        """A query's rows as a file for a platform, base64-encoded."""
        email, phone, _expression = PLATFORMS[platform]
        content = io.BytesIO(f"{email},{phone}\n".encode())
        content.seek(0, io.SEEK_END)
        copy = SQL("COPY (%s ORDER BY 1, 2) TO STDOUT WITH (FORMAT csv)", query)
        self.env.cr.copy_expert(self.env.cr.mogrify(copy.code, copy.params).decode(), content)
        return base64.b64encode(content.getvalue())

    # ----- APPEND-ONLY -----

    def write(self, vals):  # pylint: disable=method-required-super
        raise UserError(self.env._("What was exported cannot be edited."))

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        raise UserError(self.env._("The record of an export cannot be deleted."))


class LifecycleAudienceEntry(models.Model):
    """A person in an audience as the platform knows it: what the next export is compared with."""

    _name = "lifecycle.audience.entry"
    _description = "Exported Audience Entry"
    _log_access = False

    segment_id = fields.Many2one("lifecycle.segment", required=True, ondelete="cascade")
    company_id = fields.Many2one("res.company", required=True, ondelete="cascade")
    platform = fields.Char(required=True)
    email_hash = fields.Char(required=True)
    phone_hash = fields.Char(required=True)

    _person_unique = models.UniqueIndex(
        "(segment_id, company_id, platform, email_hash, phone_hash)",
        "A person is in an audience once.",
    )
