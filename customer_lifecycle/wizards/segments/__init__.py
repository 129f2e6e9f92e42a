from . import audience_export_wizard
