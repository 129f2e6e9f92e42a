import { useEffect, useRef } from "@odoo/owl";
import { DomainSelector } from "@web/core/domain_selector/domain_selector";
import { _t } from "@web/core/l10n/translation";
import { condition, connector, isTree } from "@web/core/tree_editor/condition_tree";
import { TreeEditor } from "@web/core/tree_editor/tree_editor";
import { treeProcessorService } from "@web/core/tree_editor/tree_processor";
import { patch } from "@web/core/utils/patch";

/**
 * What rules ask of a customer's purchases and touchpoints, by the model of what is asked: the
 * words, and the fields that are offered, in this order.
 */
const ASKED = {
    "lifecycle.purchase.item": {
        operators: {
            any: _t("has bought"),
            "not any": _t("has not bought"),
            set: _t("has bought anything"),
            "not set": _t("has bought nothing"),
        },
        names: [
            "product_id",
            "category_id",
            "tag_ids",
            "attribute_value_ids",
            "days_ago",
            "day",
            "times",
            "first_time",
            "is_last",
            "quantity",
            "total_quantity",
            "amount",
            "total_amount",
            "source_id",
            "user_id",
        ],
        first: () => condition("product_id", "in", []),
    },
    "lifecycle.touchpoint": {
        operators: {
            any: _t("had"),
            "not any": _t("had none of"),
            set: _t("was in touch"),
            "not set": _t("was never in touch"),
        },
        names: ["source_id", "lane", "sentiment", "what", "days_ago", "day", "times"],
        first: () => condition("source_id", "in", []),
    },
};

/** By name of a field: operators as they are chosen, and the sentence that each makes */
const WORDS = {
    days_ago: [
        ["<=", _t("in the last … days"), (value) => _t("in the last %s days", value)],
        [">", _t("more than … days ago"), (value) => _t("more than %s days ago", value)],
        ["=", _t("exactly … days ago"), (value) => _t("%s days ago", value)],
        ["between", _t("between … and … days ago")],
    ],
    times: [
        [">=", _t("at least"), (value) => _t("at least %s times", value)],
        ["<=", _t("at most"), (value) => _t("at most %s times", value)],
        ["=", _t("exactly"), (value) => _t("%s times", value)],
    ],
    total_quantity: [
        [">=", _t("at least"), (value) => _t("at least %s pieces in all", value)],
        ["<=", _t("at most"), (value) => _t("at most %s pieces in all", value)],
        ["between", _t("between")],
    ],
    total_amount: [
        [">=", _t("at least"), (value) => _t("for at least %s in all", value)],
        ["<=", _t("at most"), (value) => _t("for at most %s in all", value)],
        ["between", _t("between")],
    ],
    first_time: [
        ["set", _t("yes"), () => _t("for the first time")],
        ["not set", _t("no"), () => _t("not for the first time")],
    ],
    is_last: [
        ["set", _t("yes"), () => _t("on the last purchase")],
        ["not set", _t("no"), () => _t("not on the last purchase")],
    ],
    category_id: [
        ["child_of", _t("is or is below"), null],
        ["in", _t("is"), null],
        ["not in", _t("is not")],
    ],
    product_id: [
        ["in", _t("is"), null],
        ["not in", _t("is not")],
        ["ilike", _t("contains")],
    ],
    source_id: [
        ["in", _t("is"), null],
        ["not in", _t("is not")],
        ["ilike", _t("contains")],
    ],
};

/** What such fields lead to */
const RELATED = ["product.product", "product.category", "lifecycle.touchpoint.source"];

/** What a link below the rules adds: words, field, operator, and days */
const SHORTCUTS = [
    { label: _t("Has bought"), path: "bought_item_ids", operator: "any" },
    { label: _t("Has not bought"), path: "bought_item_ids", operator: "not any", days: 60 },
    { label: _t("Was in touch"), path: "touchpoint_ids", operator: "any", days: 30 },
    { label: _t("Was not in touch"), path: "touchpoint_ids", operator: "not any", days: 90 },
];
const MODELS = {
    bought_item_ids: "lifecycle.purchase.item",
    touchpoint_ids: "lifecycle.touchpoint",
};

function askedOf(fieldDef) {
    return fieldDef?.type === "one2many" ? ASKED[fieldDef.relation] : undefined;
}

function wordsFor(fieldDef) {
    const words = WORDS[fieldDef?.name];
    // other models have fields of such names as well
    const isOther = fieldDef?.relation && !RELATED.includes(fieldDef.relation);
    return words && !isOther ? words : undefined;
}

/** The tree of conditions within one that asks: empty where the two are joined by nothing yet */
function innerParts(tree) {
    const isPlain = tree.type === "connector" && tree.value === "&" && !tree.negate;
    return isPlain ? tree.children : [tree];
}

/**
 * Odoo offers to compare records with a list of them. Here the list is millions long, and what is
 * asked are conditions on each, and how many there are.
 */
patch(DomainSelector.prototype, {
    getDefaultOperator(fieldDef) {
        if (askedOf(fieldDef)) {
            return "any";
        }
        return wordsFor(fieldDef)?.[0][0] ?? super.getDefaultOperator(fieldDef);
    },

    getDefaultCondition(fieldDefs) {
        const asked = Object.values(ASKED).find(
            ({ names }) => "days_ago" in fieldDefs && names.every((name) => name in fieldDefs),
        );
        return asked ? asked.first() : super.getDefaultCondition(fieldDefs);
    },

    getOperatorEditorInfo(fieldDef) {
        const info = super.getOperatorEditorInfo(fieldDef);
        const asked = askedOf(fieldDef);
        const words = asked ? Object.entries(asked.operators) : wordsFor(fieldDef);
        if (!words) {
            return info;
        }
        const options = words.map(([operator, label]) => [operator, label]);
        const labels = Object.fromEntries(options);
        return {
            ...info,
            extractProps: (params) => {
                const props = info.extractProps(params);
                const others = props.options.filter(
                    ([key]) => key === props.value && !(key in labels),
                );
                return { ...props, options: [...options, ...others] };
            },
            defaultValue: () => options[0][0],
            stringify: ([operator]) => labels[operator] || operator,
        };
    },

    getPathEditorInfo(resModel, defaultCondition) {
        const info = super.getPathEditorInfo(resModel, defaultCondition);
        const asked = ASKED[resModel];
        if (!asked || this.props.isDebugMode) {
            return info;
        }
        const place = (name) => {
            const index = asked.names.indexOf(name);
            return index < 0 ? asked.names.length : index;
        };
        return {
            ...info,
            extractProps: (params) => ({
                ...info.extractProps(params),
                filter: (fieldDef, _path, model) =>
                    fieldDef.searchable &&
                    fieldDef.type !== "json" &&
                    fieldDef.type !== "separator" &&
                    (model !== resModel || asked.names.includes(fieldDef.name)),
                sort: (fieldDefs) =>
                    Object.keys(fieldDefs).sort(
                        (one, other) =>
                            place(one) - place(other) ||
                            fieldDefs[one].string.localeCompare(fieldDefs[other].string),
                    ),
            }),
        };
    },
});

/**
 * Links that add a whole condition in plain words, with the cursor where it goes on; and one
 * sentence for such a condition where it is only read.
 */
patch(TreeEditor.prototype, {
    setup() {
        super.setup();
        /** What is said in one sentence: by the conditions within */
        this.sentences = new Map();
        this.isTree = (value) => isTree(value) && !this.sentences.has(value);
        this.shortcutsRef = useRef("shortcuts");
        this.hasAdded = false;
        useEffect(() => {
            const editor = this.hasAdded && this.shortcutsRef.el?.closest(".o_tree_editor");
            const inputs = editor ? [...editor.querySelectorAll(".o-autocomplete--input")] : [];
            if (inputs.length) {
                this.hasAdded = false;
                inputs.at(-1).focus();
            }
        });
    },

    async prepareInfo(props) {
        await super.prepareInfo(props);
        const sentences = new Map();
        if (props.readonly) {
            const asking = this.tree.children.filter(
                (node) =>
                    node.type === "condition" &&
                    !node.negate &&
                    isTree(node.value) &&
                    askedOf(this.getFieldDef(node.path)),
            );
            await Promise.all(
                asking.map(async (node) => {
                    const { getDomainTreeDescription } = this.treeProcessor;
                    sentences.set(node.value, await getDomainTreeDescription(props.resModel, node));
                }),
            );
            const describe = this.getConditionDescription;
            this.getConditionDescription = (node) => {
                const sentence = sentences.get(node.value);
                return sentence
                    ? {
                          pathDescription: sentence[0].toUpperCase() + sentence.slice(1),
                          operatorDescription: "",
                          valueDescription: null,
                      }
                    : describe(node);
            };
        }
        this.sentences = sentences;
    },

    get shortcuts() {
        const { readonly, isSubTree, resModel } = this.props;
        return !readonly && !isSubTree && resModel === "lifecycle.profile" ? SHORTCUTS : [];
    },

    addShortcut({ path, operator, days }) {
        const conditions = [ASKED[MODELS[path]].first()];
        if (days) {
            conditions.push(condition("days_ago", "<=", days));
        }
        this.hasAdded = true;
        this.updateNode(this.tree, () =>
            this.tree.children.push(condition(path, operator, connector("&", conditions))),
        );
    },
});

/** What a rule says where it is only read: a sentence instead of fields and operators */
patch(treeProcessorService, {
    start(...args) {
        const service = super.start(...args);
        const { getDomainTreeDescription, makeGetConditionDescription, makeGetFieldDef } = service;

        async function makeSaid(resModel, tree, ...limits) {
            const [getFieldDef, getDescription] = await Promise.all([
                makeGetFieldDef(resModel, tree),
                makeGetConditionDescription(resModel, tree, ...limits),
            ]);
            return (node) => {
                const description = getDescription(node);
                const fieldDef = getFieldDef(node.path);
                const asked = askedOf(fieldDef)?.operators[node.operator];
                if (asked) {
                    return { ...description, pathDescription: asked, operatorDescription: "" };
                }
                const word = wordsFor(fieldDef)?.find(([operator]) => operator === node.operator);
                if (!word || word.length < 3 || node.negate) {
                    return description;
                }
                const sentence = word[2]?.(node.value).toString();
                return sentence
                    ? {
                          pathDescription: sentence,
                          operatorDescription: "",
                          valueDescription: null,
                      }
                    : { ...description, pathDescription: "", operatorDescription: "" };
            };
        }

        async function describe(resModel, tree, isSubExpression = false, ...limits) {
            if (tree.type === "connector" && !tree.negate && tree.children.length > 1) {
                const parts = await Promise.all(
                    tree.children.map((child) => describe(resModel, child, true)),
                );
                const text = parts.join(` ${tree.value === "&" ? _t("and") : _t("or")} `);
                return isSubExpression ? `( ${text} )` : text;
            }
            if (tree.type !== "condition" || tree.negate) {
                return getDomainTreeDescription(resModel, tree, isSubExpression, ...limits);
            }
            const getFieldDef = await makeGetFieldDef(resModel, tree);
            const fieldDef = getFieldDef(tree.path);
            const isAsked = askedOf(fieldDef) && isTree(tree.value);
            if (!isAsked && !wordsFor(fieldDef)) {
                return getDomainTreeDescription(resModel, tree, isSubExpression, ...limits);
            }
            const getDescription = await makeSaid(resModel, tree, ...limits);
            const said = getDescription(tree);
            const values = said.valueDescription?.values.join(` ${said.valueDescription.join} `);
            const inner = isAsked
                ? (
                      await Promise.all(
                          innerParts(tree.value).map((part) =>
                              describe(fieldDef.relation, part, true),
                          ),
                      )
                  ).join(", ")
                : "";
            return [said.pathDescription, said.operatorDescription, values, inner]
                .filter(Boolean)
                .join(" ");
        }

        return {
            ...service,
            getDomainTreeDescription: describe,
            makeGetConditionDescription: makeSaid,
        };
    },
});
