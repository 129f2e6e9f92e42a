import { defineMailModels } from "@mail/../tests/mail_test_helpers";
import { expect, test } from "@odoo/hoot";
import { queryFirst } from "@odoo/hoot-dom";
import { mockDate } from "@odoo/hoot-mock";
import { defineModels, fields, models, mountView, onRpc } from "@web/../tests/web_test_helpers";

class Move extends models.Model {
    _name = "move";
    date = fields.Date();
    stage_id = fields.Many2one({ relation: "stage" });
    amount = fields.Float({ string: "Net Revenue" });
    _records = [
        { id: 1, date: "2026-10-05", stage_id: 2, amount: 5 },
        { id: 2, date: "2026-11-05", stage_id: 1, amount: 7 },
        { id: 3, date: "2026-11-06", stage_id: 3, amount: 1 },
    ];
}

class Stage extends models.Model {
    _name = "stage";
    name = fields.Char();
    _records = [
        { id: 1, name: "Lost" },
        { id: 2, name: "At risk" },
        { id: 3, name: "Nameless" },
    ];
}

defineMailModels();
defineModels([Move, Stage]);

const RED = "#ee2d2d";
const ORANGE = "#dc8534";

async function mountGraph(inside) {
    mockDate("2026-11-18 12:00:00");
    onRpc("lifecycle.stage", "search_read", () => [
        { id: 1, name: "Lost", color: 1 },
        { id: 2, name: "At risk", color: 2 },
    ]);
    await mountView({
        type: "graph",
        resModel: "move",
        arch: `<graph type="bar" js_class="lifecycle_graph">${inside}</graph>`,
    });
    return window.Chart.getChart(queryFirst("canvas")).config;
}

test("stages have their own colours, whichever comes first", async () => {
    const { data } = await mountGraph(
        `<field name="date" interval="month"/><field name="stage_id"/>`,
    );
    const colors = Object.fromEntries(
        data.datasets.map(({ label, backgroundColor }) => [label, backgroundColor]),
    );
    expect(colors["At risk"].toLowerCase()).toBe(ORANGE);
    expect(colors.Lost.toLowerCase()).toBe(RED);
    expect(colors.Nameless).not.toBe(undefined);
});

test("on the axis, too", async () => {
    const { data } = await mountGraph(`<field name="stage_id"/>`);
    const [dataset] = data.datasets;
    const colors = Object.fromEntries(
        data.labels.map((label, index) => [label, dataset.backgroundColor[index]]),
    );
    expect(colors["At risk"].toLowerCase()).toBe(ORANGE);
    expect(colors.Lost.toLowerCase()).toBe(RED);
});

test("the measure is named, and the month that is not over says so", async () => {
    const { options } = await mountGraph(
        `<field name="date" interval="month"/><field name="amount" type="measure"/>`,
    );
    const { x, y } = options.scales;
    expect([0, 1].map((index) => x.ticks.callback(null, index))).toEqual([
        "October 2026",
        "November 2026 (so far)",
    ]);
    expect([y.title.display, y.title.text]).toEqual([true, "Net Revenue"]);
});
