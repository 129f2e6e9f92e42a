from unittest.mock import patch

from .common_workflow import WorkflowCase
from .smtp_sink import SmtpSink

QUEUE = "mail.ir_cron_mail_scheduler_action"


class MailCase(WorkflowCase):
    """Tests in which e-mails really leave, to a mail server that keeps them."""

    def setUp(self):
        super().setUp()
        self.env["mail.mail"].sudo().search([]).unlink()
        self.sink = SmtpSink().__enter__()
        self.addCleanup(self.sink.__exit__)
        self.env["ir.mail_server"].search([]).action_archive()
        self.server = self.env["ir.mail_server"].create(
            {
                "name": "Sink",
                "smtp_host": "127.0.0.1",
                "smtp_port": self.sink.port,
                "smtp_encryption": "none",
            }
        )
        sending = patch.object(
            self.env.registry["ir.mail_server"], "_disable_send", lambda *_args: False
        )
        sending.start()
        self.addCleanup(sending.stop)

    def send_all(self):
        """Let the mail queue leave; return all messages that have left so far."""
        self.run_cron(QUEUE)
        return self.sink.messages
