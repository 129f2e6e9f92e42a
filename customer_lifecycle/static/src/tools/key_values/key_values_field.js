import { Component } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { formatFloat } from "@web/views/fields/formatters";
import { standardFieldProps } from "@web/views/fields/standard_field_props";

/** A flat JSON object as a short table; technical names stay as they are. */
export class KeyValuesField extends Component {
    static template = "customer_lifecycle.KeyValuesField";
    static props = { ...standardFieldProps };

    get rows() {
        const value = this.props.record.data[this.props.name] || {};
        return Object.entries(value)
            .filter(([, entry]) => entry !== null)
            .map(([name, entry]) => ({ name, text: this.text(entry) }));
    }

    text(entry) {
        if (typeof entry === "number" && !Number.isInteger(entry)) {
            return formatFloat(entry, { digits: [16, Math.abs(entry) < 0.1 ? 5 : 3] });
        }
        return String(entry);
    }
}

export const keyValuesField = {
    component: KeyValuesField,
    displayName: _t("Names and values"),
    supportedTypes: ["json"],
};

registry.category("fields").add("lifecycle_key_values", keyValuesField);
