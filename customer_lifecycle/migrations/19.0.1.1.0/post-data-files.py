"""Tell e-mail templates where the files now stand that *Reset Template* takes them from."""

#: files by where they stood before
MOVED = {
    "lifecycle_loyalty_data": "loyalty/loyalty_data",
    "lifecycle_referral_data": "referral/referral_data",
    "lifecycle_workflow_template_data": "workflow/workflow_template_data",
}


def migrate(cr, version):
    for before, now in MOVED.items():
        cr.execute(
            "UPDATE mail_template SET template_fs = %s WHERE template_fs = %s",
            [
                f"customer_lifecycle/data/{now}.xml",
                f"customer_lifecycle/data/{before}.xml",
            ],
        )
