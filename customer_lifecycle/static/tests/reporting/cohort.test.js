import { defineMailModels } from "@mail/../tests/mail_test_helpers";
import { describe, expect, test } from "@odoo/hoot";
import { queryAllAttributes, queryAllTexts } from "@odoo/hoot-dom";
import { animationFrame } from "@odoo/hoot-mock";
import {
    contains,
    defineModels,
    fields,
    mockService,
    models,
    mountView,
    onRpc,
} from "@web/../tests/web_test_helpers";
import {
    averages,
    cellValue,
    lastKnown,
    measuresOf,
    strengthOf,
} from "@customer_lifecycle/reporting/cohort/cohort_measures";

describe.current.tags("desktop");

class Profile extends models.Model {
    _name = "lifecycle.profile";
    name = fields.Char();
    _records = [{ id: 1, name: "Azure" }];
    _views = {
        search: `<search><filter name="mine" string="Mine" domain="[['name', '=', 'Azure']]"/></search>`,
    };
}

defineMailModels();
defineModels([Profile]);

const period = (ordered, active, revenue, complete = true) => ({
    ...{ ordered, active, revenue, complete },
    value: revenue / 4,
});
const COHORTS = [
    {
        ...{ start: "2026-01-01", label: "Jan 2026", size: 4, looked_at: 4 },
        periods: [period(4, 4, 400), period(2, 3, 100), period(1, 3, 20, false)],
    },
    {
        ...{ start: "2026-02-01", label: "Feb 2026", size: 12, looked_at: 6 },
        periods: [period(6, 6, 120), period(3, 6, 60, false)],
    },
];
const DATA = {
    ...{ cohorts: COHORTS, left_out: 2, cut: false, company: "Works", company_id: 4 },
    ...{ currency_id: 1, sampled: false, value_is: "revenue", knows_loss: true },
};

test("cells are per customer looked at, averages weighted by size over what is over", () => {
    expect(cellValue(COHORTS[0], 1, "ordered")).toBe(0.5);
    expect(cellValue(COHORTS[0], 2, "revenue_so_far")).toBe(130);
    expect(cellValue(COHORTS[1], 1, "value_so_far")).toBe(7.5);
    expect(cellValue(COHORTS[1], 2, "ordered")).toBe(null);
    expect(cellValue({ ...COHORTS[0], looked_at: 0 }, 0, "ordered")).toBe(null);
    // 100 for 4 customers and 20 for 12; period 1 is over for the first only, period 2 for none
    expect(averages(COHORTS, "revenue")).toEqual([40, 25, null]);
    expect(lastKnown(COHORTS)).toBe(0);
    expect(lastKnown([COHORTS[0]])).toBe(1);
    expect(strengthOf(25, false, 100)).toBe(0.5);
    expect(strengthOf(-5, false, 100)).toBe(0);
});

test("only what means something can be chosen", () => {
    const names = (data) => measuresOf(data).map(({ name }) => name);
    expect(names(DATA)).toEqual(["ordered", "active", "revenue", "revenue_so_far"]);
    expect(names({ ...DATA, knows_loss: false, value_is: "margin" })).toEqual([
        ...["ordered", "revenue", "revenue_so_far", "value", "value_so_far"],
    ]);
});

test("the table can be read, walked through and opened", async () => {
    onRpc("lifecycle.cohort", "get_cohorts", ({ args }) => {
        expect.step(args[1]);
        return DATA;
    });
    mockService("action", {
        doAction(action) {
            expect.step(action.domain);
        },
    });
    await mountView({
        type: "lifecycle_cohort",
        resModel: "lifecycle.profile",
        arch: "<lifecycle_cohort/>",
    });
    await animationFrame();
    expect.verifySteps(["month"]);
    expect(queryAllTexts(".o_cell")).toEqual(["100%", "50%", "25%", "100%", "50%"]);
    expect(".o_cell.o_incomplete").toHaveCount(2);
    expect(queryAllTexts("tfoot td")).toEqual(["16", "100%", "50%", ""]);
    expect(queryAllAttributes(".o_cell button[tabindex='0']", "data-cell")).toEqual(["0:0"]);
    expect("th[scope=row]").toHaveCount(3);
    expect(".o_cell button:eq(2)").toHaveAttribute(
        "aria-label",
        "First order Jan 2026, period 2, Share who ordered: 25% so far",
    );
    expect(".o_lifecycle_cohort_notes").toHaveText(/Older cohorts are not shown/);
    await contains(".o_cell button:eq(1)").click();
    expect.verifySteps([
        ["&", ["company_id", "=", 4], ["cohort_cell", "=", "ordered:month:2026-01-01:1"]],
    ]);
    await contains(".o_lifecycle_cohort_measure").select("revenue_so_far");
    await contains(".o_cell button:eq(1)").click();
    expect.verifySteps([
        [
            ...["&", "&", ["company_id", "=", 4]],
            ["first_order_date", ">=", "2026-01-01"],
            ["first_order_date", "<", "2026-02-01"],
        ],
    ]);
    await contains(".o_lifecycle_cohort_interval").select("quarter");
    expect.verifySteps(["quarter"]);
});

test("a sample says so and all can be counted", async () => {
    onRpc("lifecycle.cohort", "get_cohorts", ({ args }) => {
        expect.step(args[2] ? "all" : "sample");
        return { ...DATA, sampled: args[2] ? false : 10 };
    });
    await mountView({
        type: "lifecycle_cohort",
        resModel: "lifecycle.profile",
        arch: "<lifecycle_cohort/>",
    });
    await animationFrame();
    expect(".o_lifecycle_cohort_notes").toHaveText(/Measured on a sample of 10 customers/);
    await contains(".o_lifecycle_cohort_exact").click();
    expect(".o_lifecycle_cohort_exact").toHaveCount(0);
    expect.verifySteps(["sample", "all"]);
});

test("a number opens what it shows where the company lacks the wished measure", async () => {
    onRpc("lifecycle.cohort", "get_cohorts", () => DATA);
    mockService("action", {
        doAction(action) {
            expect.step(action.domain.at(-1)[2]);
        },
    });
    await mountView({
        type: "lifecycle_cohort",
        resModel: "lifecycle.profile",
        arch: "<lifecycle_cohort/>",
        // a favorite from a company whose value is the margin
        context: { lifecycle_cohort: { measure: "value_so_far" } },
    });
    await animationFrame();
    expect(queryAllTexts(".o_cell").slice(0, 2)).toEqual(["100%", "50%"]);
    await contains(".o_cell button:eq(1)").click();
    expect.verifySteps(["ordered:month:2026-01-01:1"]);
});
