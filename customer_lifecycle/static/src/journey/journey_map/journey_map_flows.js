import { Component } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { formatCount, formatMoney } from "./journey_map_format";

const SHOWN = 12;
/** The picture's own units: its width, the height of all customers, gaps and where bands begin. */
const PICTURE = { width: 720, height: 260, gap: 10, from: 170, to: 550, bar: 10, least: 2 };

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

    colorClass(id) {
        const stage = this.stageOf(id);
        return stage ? `o_lifecycle_color_${stage.color % 12}` : "";
    }

    /** The moves as bands between two columns of stages, as wide as there are customers. */
    get picture() {
        const { width, height, gap, from, to, bar, least } = PICTURE;
        const total = this.moves.reduce((sum, { count }) => sum + count, 0);
        const thickness = ({ count }) => Math.max(least, (count / total) * height);
        const order = this.props.map.stages.map(({ id }) => id);
        const place = (id) => (order.includes(id) ? order.indexOf(id) : order.length);
        const column = (key, nameOf) => {
            const nodes = [];
            let y = 0;
            for (const id of [...new Set(this.moves.map((move) => move[key]))].sort(
                (a, b) => place(a) - place(b),
            )) {
                const moves = this.moves.filter((move) => move[key] === id);
                const size = moves.reduce((sum, move) => sum + thickness(move), 0);
                nodes.push({
                    id,
                    y,
                    size,
                    next: y,
                    name: nameOf(moves[0]),
                    count: formatCount(moves.reduce((sum, { count }) => sum + count, 0)),
                    colorClass: this.colorClass(id),
                });
                // room for the name of a thin one
                y += Math.max(size, 14) + gap;
            }
            return { nodes, end: y - gap };
        };
        const left = column("from_id", (move) => this.fromName(move));
        const right = column("to_id", (move) => this.toName(move));
        const sorted = [...this.moves].sort(
            (a, b) => place(a.from_id) - place(b.from_id) || place(a.to_id) - place(b.to_id),
        );
        const bands = sorted.map((move) => {
            const size = thickness(move);
            const start = left.nodes.find(({ id }) => id === move.from_id);
            const end = right.nodes.find(({ id }) => id === move.to_id);
            const [y1, y2] = [start.next, end.next];
            start.next += size;
            end.next += size;
            const [x1, x2, middle] = [from + bar, to, (from + bar + to) / 2];
            return {
                move,
                key: this.cell(move),
                colorClass: this.colorClass(move.to_id),
                title: `${start.name} → ${end.name}: ${formatCount(move.count)}`,
                path:
                    `M${x1} ${y1}C${middle} ${y1} ${middle} ${y2} ${x2} ${y2}` +
                    `V${y2 + size}C${middle} ${y2 + size} ${middle} ${y1 + size} ${x1} ${y1 + size}Z`,
            };
        });
        return { ...PICTURE, width, end: Math.max(left.end, right.end), left, right, bands };
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
