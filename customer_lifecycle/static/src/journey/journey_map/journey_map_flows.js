import { Component } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { formatCount, formatMoney } from "./journey_map_format";

const SHOWN = 12;

/** From stage to stage between the first and the last day of the period, in money. */
export class JourneyMapFlows extends Component {
    static template = "customer_lifecycle.JourneyMapFlows";
    static props = { model: Object, map: Object, part: Object, open: Function };

    setup() {
        this.formatCount = formatCount;
    }

    get data() {
        return this.props.part.data;
    }

    get moves() {
        return this.data.moves.slice(0, SHOWN);
    }

    get others() {
        return this.data.moves.slice(SHOWN).reduce((sum, { count }) => sum + count, 0);
    }

    stageOf(id) {
        return this.props.map.stages.find((stage) => stage.id === id);
    }

    fromName({ from_id }) {
        return this.stageOf(from_id)?.name || _t("no stage before");
    }

    toName({ to_id }) {
        return this.stageOf(to_id)?.name || _t("no longer a customer");
    }

    money(value) {
        return value === false ? "–" : formatMoney(value, this.props.map.currency_id);
    }

    beforeText({ before }) {
        return this.data.sampled && before !== false
            ? `≈ ${this.money(before)}`
            : this.money(before);
    }

    /** What matters: the money of those who went to a stage that counts as lost. */
    get sentence() {
        const lost = this.data.moves.filter(({ to_id }) => this.stageOf(to_id)?.is_lost);
        if (!lost.length) {
            return _t("Nobody was lost between these two days.");
        }
        const sum = (name) => lost.reduce((total, move) => total + (move[name] || 0), 0);
        return _t(
            "Lost customers: %(count)s. They had brought %(money)s in the 12 months before.",
            {
                count: formatCount(sum("count")),
                money: this.money(sum("before")),
            },
        );
    }

    cell(move) {
        return `moved:${move.from_id}:${move.to_id}`;
    }

    openMove(move) {
        const { model, open } = this.props;
        const name = `${this.fromName(move)} → ${this.toName(move)}`;
        const domain = model.domainOf("moved", { id: move.from_id }, move.to_id);
        open(name, domain, this.cell(move));
    }

    retry() {
        this.props.model.loadPart("flows", "get_migration");
    }
}
