"""A mail server that keeps what it is given: enough of SMTP (RFC 5321) for Odoo's client."""

import asyncio
import email
import threading
from email import policy


class SmtpSink:
    """Listens on a free port of this machine while used as a context manager.

    ``messages`` holds (list of recipients of the envelope, ``email.message.EmailMessage``).
    """

    def __init__(self):
        self.messages = []
        self.port = None
        self._ready = threading.Event()

    def __enter__(self):
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        self._ready.wait(10)
        return self

    def __exit__(self, *_error):
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)

    def _serve(self):
        asyncio.run(self._listen())

    async def _listen(self):
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        server = await asyncio.start_server(self._talk, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        async with server:
            await self._stop.wait()

    async def _talk(self, reader, writer):
        async def answer(text):
            writer.write(f"{text}\r\n".encode())
            await writer.drain()

        recipients = []
        await answer("220 sink")
        while line := await reader.readline():
            command = line.decode("ascii", "replace").strip()
            verb = command[:4].upper()
            if verb == "QUIT":
                await answer("221 bye")
                break
            if verb == "RCPT":
                recipients.append(command.split("<")[1].split(">")[0])
            if verb == "DATA":
                await answer("354 go on")
                await self._take(reader, recipients)
                recipients = []
            await answer("250 sink")
        writer.close()

    async def _take(self, reader, recipients):
        lines = []
        while (line := await reader.readline()) not in (b".\r\n", b""):
            lines.append(line[1:] if line.startswith(b"..") else line)
        message = email.message_from_bytes(b"".join(lines), policy=policy.default)
        self.messages.append((recipients, message))
