from . import controllers, models, wizards
from .hooks import post_init_hook, uninstall_hook

__all__ = ["controllers", "models", "post_init_hook", "uninstall_hook", "wizards"]
