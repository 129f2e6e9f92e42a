import { Component } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { HelpTip } from "@customer_lifecycle/tools/help_tip/help_tip";
import { stageClass } from "@customer_lifecycle/tools/stage_color/stage_color";
import { formatCount, formatMoney, formatShare } from "./journey_map_format";

/** The stages as columns: who is there, who came and went, and what they are worth. */
export class JourneyMapStages extends Component {
    static template = "customer_lifecycle.JourneyMapStages";
    static components = { HelpTip };
    static props = { model: Object, map: Object, open: Function };

    setup() {
        Object.assign(this, { formatCount, formatShare });
    }

    get stages() {
        return this.props.map.stages;
    }

    // ----- WORDS -----

    colorClass(stage) {
        return stageClass(stage?.color);
    }

    money(value) {
        return formatMoney(value, this.props.map.currency_id);
    }

    earnedText(stage) {
        const { model } = this.props;
        const part = model.parts.earned || {};
        const earned = model.earnedOf(stage);
        if (earned === undefined) {
            return part.error ? "–" : "…";
        }
        return part.data.sampled ? `≈ ${this.money(earned)}` : this.money(earned);
    }

    get lossHelp() {
        return {
            about: _t("Why is this less than nothing?"),
            text: _t(
                "The credit notes of the period weigh more than the purchases. If you often " +
                    "invoice without an order, let posted invoices count as purchases in the " +
                    "settings.",
            ),
        };
    }

    expectedText(stage) {
        return stage.expected === false ? "–" : this.money(stage.expected);
    }

    stayText(stage) {
        if (stage.median_days) {
            return _t("%s days", formatCount(stage.median_days));
        }
        return stage.now || stage.entered ? _t("most stay") : "–";
    }

    stageOf(id) {
        return this.stages.find((stage) => stage.id === id);
    }

    /** Where they went, those who are still there last. */
    nextOf(stage) {
        const gone = stage.next.filter(({ id }) => id !== 0);
        return [...gone, ...stage.next.filter(({ id }) => id === 0)];
    }

    nextName({ id }) {
        if (id === 0) {
            return _t("still here");
        }
        return this.stageOf(id)?.name || _t("no longer a customer");
    }

    nextClass({ id }) {
        const next = this.stageOf(id);
        if (id === 0) {
            return "o_still";
        }
        return next ? `${this.colorClass(next)} ${next.is_lost ? "o_lost" : ""}` : "o_lost";
    }

    /** Share of those looked at, which are all unless there are very many. */
    nextShare(stage, next) {
        const lookedAt = stage.next.reduce((sum, { count }) => sum + count, 0);
        return formatShare(next.count, lookedAt);
    }

    nextText(stage, next) {
        return _t("%(stage)s, of %(entered)s who entered: %(share)s %(next)s", {
            stage: stage.name,
            entered: formatCount(stage.entered),
            next: this.nextName(next),
            share: this.nextShare(stage, next),
        });
    }

    nowText(stage) {
        const { total } = this.props.map;
        return _t("%(stage)s: %(count)s customers now, %(share)s of all", {
            stage: stage.name,
            count: formatCount(stage.now),
            share: formatShare(stage.now, total),
        });
    }

    get ribbonText() {
        return this.stages.map((stage) => this.nowText(stage)).join("; ");
    }

    // ----- CUSTOMERS -----

    cell(...parts) {
        return parts.join(":");
    }

    openNow(stage) {
        const domain = this.props.model.domainOf("now", stage);
        this.props.open(stage.name, domain, this.cell("now", stage.id));
    }

    openMoves(kind, stage) {
        const name =
            kind === "entered"
                ? _t("Entered “%s”", stage.name)
                : _t("Moved on from “%s”", stage.name);
        const domain = this.props.model.domainOf(kind, stage);
        this.props.open(name, domain, this.cell(kind, stage.id));
    }

    openNext(stage, next) {
        const name = `${stage.name}: ${this.nextName(next)}`;
        const domain = this.props.model.domainOf("next", stage, next.id);
        this.props.open(name, domain, this.cell("next", stage.id, next.id));
    }
}
