import { defineMailModels } from "@mail/../tests/mail_test_helpers";
import { describe, expect, test } from "@odoo/hoot";
import { queryAllTexts, queryOne } from "@odoo/hoot-dom";
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
import { changeOf, formatSigned } from "@customer_lifecycle/overview/overview_format";

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

const numbers = (now, before, year) => ({ now, before, year });
const SPANS = {
    now: ["2026-11-02", "2026-12-01"],
    before: ["2026-10-03", "2026-11-01"],
    year: ["2025-11-02", "2025-12-01"],
};
const DATA = {
    ...{ company: "Works", company_id: 4, currency_id: 1, spans: SPANS, total: 9, customers: 7 },
    new: numbers(4, 2, 0),
    risk: { now: 3, money: 900, slipped: numbers(1, 0, 0) },
    lost: numbers(1, 2, 1),
    won_back: numbers(2, 2, 0),
    expected: { value: 5000, low: 4000, high: 6000, label: "Expected", note: "Good." },
    slipping: [
        {
            ...{ id: 11, partner_id: 21, name: "Slow Ltd", user_id: false, user: false },
            ...{ tier: "Gold", money: 700, reason: "Late.", last_contact: false },
        },
    ],
    cells: { before_lost: "bridge_lost:a", year_lost: "bridge_lost:b", lost: "lost:c" },
    ...{ risk_domain: [["stage_id", "in", [6]]], risk_list: 77, is_manager: false, as_of: false },
};
const HISTORY = {
    risk: { before: 2, year: 3 },
    months: ["2026-11-01", "2026-12-01"],
    movements: { new: [1, 3], won_back: [0, 2], risk: [1, 0], lost: [0, 1] },
    stages: [
        { id: 5, name: "Active", color: 7, kind: "good", now: 4 },
        { id: 6, name: "At risk", color: 2, kind: "risk", now: 3 },
    ],
    stock: { 5: [3, 4], 6: [2, 3] },
};
const bridge = (from) => ({
    ...{ from, to: 150 },
    parts: [
        { name: "new", amount: 80, count: 4 },
        { name: "lost", amount: 70 - from, count: 2 },
        { name: "returns", amount: 0, count: 0 },
    ],
});
const REVENUE = {
    revenue: numbers(150, 100, 200),
    repeat: numbers(75, 75, 100),
    active: numbers(5, 6, 5),
    lost_revenue: 40,
    bridge: { before: bridge(100), year: bridge(200) },
};
const WORK = {
    team: [{ user_id: 2, name: "Ann", open: 3, contacted: 0, ordered: 0, recovered: 0 }],
    vip: { has_tiers: false, risen: 0, fallen: 0, dropping: 0, next: [] },
    workflows: [],
    health: false,
};

/** Mount the overview; what the server is asked goes into the returned list. */
async function mountOverview(data = DATA) {
    const asked = [];
    onRpc("lifecycle.overview", "get_overview", ({ args }) => {
        asked.push(args);
        return data;
    });
    onRpc("lifecycle.overview", "get_revenue", () => REVENUE);
    onRpc("lifecycle.overview", "get_history", () => HISTORY);
    onRpc("lifecycle.overview", "get_work", () => WORK);
    await mountView({
        type: "lifecycle_overview",
        resModel: "lifecycle.profile",
        arch: `<lifecycle_overview/>`,
        noContentHelp: "<p>No customers yet</p>",
    });
    await animationFrame();
    await animationFrame();
    return asked;
}

test("a change has an arrow, per cent and a tone that says whether it is good", async () => {
    await mountOverview();
    expect(changeOf(150, 100)).toEqual({ mark: "↑ 50%", spoken: "up 50%", tone: "success" });
    expect(changeOf(3, 2, -1).tone).toBe("danger");
    expect(changeOf(1, 2, -1)).toEqual({ mark: "↓ 50%", spoken: "down 50%", tone: "success" });
    expect(changeOf(103, 100).mark).toBe("↑ 3%");
    expect(changeOf(1035, 1000).mark).toBe("↑ 3.5%");
    expect(changeOf(2, 2).tone).toBe("muted");
    // nothing to be a per cent of
    expect(changeOf(4, 0).mark).toBe("↑");
    expect(formatSigned(-5, false, (value) => `${value}`)).toBe("−5");
});

test("figures stand beside those of both former periods", async () => {
    const asked = await mountOverview();
    expect(asked).toEqual([[[], { days: 30 }]]);
    expect(queryAllTexts("[data-tile=new] li")).toEqual([
        "↑ 100%\nup 100%\nsince last period (2)",
        "↑\nmore than nothing\nsince last year (0)",
    ]);
    expect("[data-tile=revenue] [data-cell]").toHaveText(/150/);
    expect("[data-tile=repeat]").toHaveText(/50% of the revenue/);
    expect("[data-tile=risk] li:first .text-danger").toHaveCount(1);
    expect("[data-tile=lost] li:first .text-success").toHaveCount(1);
    expect(".o_lifecycle_slipping").toHaveText(/Slow Ltd/);
    expect(".o_lifecycle_slipping").toHaveText(/No salesperson/);
});

test("the bridge compares with either period, and each number opens its customers", async () => {
    const opened = [];
    mockService("action", { doAction: (action) => opened.push(action) });
    await mountOverview();
    expect(".o_lifecycle_bridge tbody tr:eq(1)").toHaveText(/30.00/);
    await contains("[data-cell=bridge_lost]").click();
    await contains(".o_lifecycle_bridge header button:contains(A year ago)").click();
    expect(".o_lifecycle_bridge tbody tr:eq(1)").toHaveText(/130.00/);
    expect("[data-cell=bridge_returns]").toHaveCount(0);
    await contains("[data-cell=bridge_lost]").click();
    await contains("[data-cell=risk]").click();
    const company = ["company_id", "=", 4];
    expect(opened.map(({ domain }) => domain)).toEqual([
        ["&", company, ["overview_cell", "=", "bridge_lost:a"]],
        ["&", company, ["overview_cell", "=", "bridge_lost:b"]],
        ["&", company, ["stage_id", "in", [6]]],
    ]);
    // sums of purchases have archived customers, too
    expect(opened.map(({ context }) => context.active_test)).toEqual([false, false, undefined]);
    expect(opened[2].views[0]).toEqual([77, "list"]);
});

test("another period and the search bar's filter are asked of the server", async () => {
    const asked = await mountOverview();
    await contains("[data-period=month]").click();
    expect(queryOne("[data-period=month]").ariaPressed).toBe("true");
    expect(asked.at(-1)).toEqual([[], { month: true }]);
});

test("a month of the table opens who moved then", async () => {
    const opened = [];
    mockService("action", { doAction: (action) => opened.push(action.domain) });
    await mountOverview();
    await contains(".o_lifecycle_moves summary").click();
    await contains("[data-cell=won_back_1]").click();
    await contains("[data-cell=new_0]").click();
    const company = ["company_id", "=", 4];
    expect(opened).toEqual([
        ["&", company, ["overview_cell", "=", "won_back:2026-12-01:2026-12-31"]],
        [
            "&",
            "&",
            company,
            ["first_order_date", ">=", "2026-11-01"],
            ["first_order_date", "<=", "2026-11-30"],
        ],
    ]);
});

test("without anybody it says what to do", async () => {
    await mountOverview({ ...DATA, total: 0 });
    expect(".o_lifecycle_customers").toHaveText(/No customers yet/);
    expect("[data-tile]").toHaveCount(0);
});
