import { DomainSelector } from "@web/core/domain_selector/domain_selector";
import { _t } from "@web/core/l10n/translation";
import { condition } from "@web/core/tree_editor/condition_tree";
import { patch } from "@web/core/utils/patch";

/** What rules ask of the products on purchases: the words, and the order in which they are offered */
const OPERATORS = {
    any: _t("has bought"),
    "not any": _t("has not bought"),
    set: _t("has bought anything"),
    "not set": _t("has bought nothing"),
};

function isBought(fieldDef) {
    return fieldDef?.type === "one2many" && fieldDef.relation === "lifecycle.purchase.item";
}

/**
 * Odoo offers to compare records with a list of them. Here the list is millions long, and what is
 * asked are conditions on each: product, category, days, quantity and amount.
 */
patch(DomainSelector.prototype, {
    getDefaultOperator(fieldDef) {
        return isBought(fieldDef) ? "any" : super.getDefaultOperator(fieldDef);
    },

    getDefaultCondition(fieldDefs) {
        const isItem = "days_ago" in fieldDefs && "product_id" in fieldDefs;
        return isItem ? condition("product_id", "in", []) : super.getDefaultCondition(fieldDefs);
    },

    getOperatorEditorInfo(fieldDef) {
        const info = super.getOperatorEditorInfo(fieldDef);
        if (!isBought(fieldDef)) {
            return info;
        }
        const options = Object.entries(OPERATORS);
        return {
            ...info,
            extractProps: (params) => ({ ...info.extractProps(params), options }),
            defaultValue: () => "any",
            stringify: ([operator]) => OPERATORS[operator] || operator,
        };
    },
});
