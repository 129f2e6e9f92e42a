from odoo.orm.model_classes import add_to_registry

from .common import LifecycleCase


class ExtendingCase(LifecycleCase):
    """Models that another add-on would bring, there for the tests of a class."""

    @classmethod
    def extend(cls, *definitions):
        """Load model classes, which have ``_module = None`` as they belong to no add-on."""
        names = list(dict.fromkeys(definition._name for definition in definitions))
        former = {name: cls.registry[name]._base_classes__ for name in names}

        def restore():
            for name, classes in former.items():
                cls.registry[name]._base_classes__ = classes
                cls.registry[name]._setup_done__ = False
            cls.registry._setup_models__(cls.cr, names)

        cls.addClassCleanup(restore)
        for definition in definitions:
            add_to_registry(cls.registry, definition)
        cls.registry._setup_models__(cls.cr, names)
        cls.registry.init_models(cls.cr, names, {"models_to_check": True})
