import { defineMailModels } from "@mail/../tests/mail_test_helpers";
import { expect, test } from "@odoo/hoot";
import { queryAllTexts } from "@odoo/hoot-dom";
import { defineModels, fields, models, mountView } from "@web/../tests/web_test_helpers";
import { setupChartJsForTests } from "@web/../tests/views/graph/graph_test_helpers";

const MONTHS = {
    length: 30,
    numbers: [-2, -1, 1, 2],
    members: [100, 120, 180, 150.4],
    compared: [98, 121, 119, 0],
    currency_id: 1,
    is_date: false,
    day: false,
};

class Comparison extends models.Model {
    _name = "comparison";
    chart = fields.Json();
    _records = [
        { id: 1, chart: MONTHS },
        { id: 2, chart: { ...MONTHS, length: 7, is_date: true, day: "05/06/2026" } },
        { id: 3, chart: false },
    ];
}

defineMailModels();
defineModels([Comparison]);
setupChartJsForTests();

function mountComparison(resId) {
    return mountView({
        type: "form",
        resModel: "comparison",
        resId,
        arch: `<form><field name="chart" widget="lifecycle_comparison_chart"/></form>`,
    });
}

test("members and comparable customers by month from the event", async () => {
    await mountComparison(1);
    expect("canvas").toHaveCount(1);
    expect("figcaption").toHaveText("Net revenue per customer and month");
    expect(queryAllTexts("thead th")).toEqual(["Period", "Members", "Comparable customers"]);
    expect(queryAllTexts("tbody th")).toEqual(["−2", "−1", "+1", "+2"]);
    expect(queryAllTexts("tbody tr:eq(3) td").map((text) => text.replace(/[^\d]/g, ""))).toEqual([
        "150",
        "0",
    ]);
});

test("a date for everybody stands against the year before", async () => {
    await mountComparison(2);
    expect("figcaption").toHaveText("Net revenue per customer and week");
    expect(queryAllTexts("thead th")).toEqual(["Period", "Customers", "A year earlier"]);
});

test("nothing computed, no chart", async () => {
    await mountComparison(3);
    expect("canvas").toHaveCount(0);
});
