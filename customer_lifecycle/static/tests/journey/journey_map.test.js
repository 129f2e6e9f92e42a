import { markup } from "@odoo/owl";
import { defineMailModels } from "@mail/../tests/mail_test_helpers";
import { describe, expect, test } from "@odoo/hoot";
import { queryAll, queryAllAttributes, queryAllTexts } from "@odoo/hoot-dom";
import { animationFrame, Deferred, mockDate } from "@odoo/hoot-mock";
import {
    contains,
    defineModels,
    fields,
    mockService,
    models,
    mountView,
    onRpc,
    patchWithCleanup,
} from "@web/../tests/web_test_helpers";
import { session } from "@web/session";

describe.current.tags("desktop");

class Profile extends models.Model {
    _name = "lifecycle.profile";
    name = fields.Char();
    _records = [{ id: 1, name: "Azure" }];
    _views = {
        search: `<search><filter name="mine" string="My Customers" domain="[['name', '=', 'Azure']]"/></search>`,
    };
}

defineMailModels();
defineModels([Profile]);

function stage(id, name, more = {}) {
    return {
        ...{ id, name, color: id, tone: "info", description: "", is_lost: false },
        ...{ now: 0, entered: 0, left: 0, expected: false, median_days: false, next: [] },
        ...more,
    };
}

const MAP = {
    stages: [
        stage(1, "New", {
            ...{ now: 1200, entered: 1991, left: 30, expected: 5000, median_days: 49 },
            next: [
                { id: 0, count: 1300 },
                { id: 2, count: 500 },
                { id: 3, count: 190 },
                { id: -1, count: 1 },
            ],
        }),
        stage(2, "<b id='injected'>Active</b>", { now: 800, median_days: false }),
        stage(3, "Lost", { is_lost: true }),
    ],
    ...{ total: 2000, company: "Map Works", company_id: 4, currency_id: 1, not_news: 7 },
    ...{ start: "2025-05-01", end: "2026-04-30", value_is: "revenue", sampled: false },
    expected_label: "Expected in the next 12 months",
};
const EARNED = { earned: [[1, 1234.5]], sampled: false };
const FLOWS = {
    moves: [
        { from_id: 1, to_id: 3, count: 1200, before: 5400, expected: 10 },
        { from_id: 0, to_id: 1, count: 7, before: false, expected: false },
    ],
    sampled: 600,
};
const PATHS = {
    paths: [
        {
            ...{ steps: [7, 8], cut: true, count: 30, median_days: 21, value: 900 },
            profile_ids: [11, 12],
        },
        { steps: ["sales"], cut: false, count: 10, median_days: 1, value: 90, profile_ids: [13] },
    ],
    ...{ total: 400, looked_at: 100, unknown: 20, others: 40 },
    sources: [
        { id: 7, name: "Call", lane: "sales", icon: "fa-phone", sentiment: "neutral" },
        { id: 8, name: "Overdue", lane: "payment", icon: "fa-clock-o", sentiment: "bad" },
    ],
    lanes: { sales: "Sales" },
    warnings: [{ source_id: 9, name: "Fairs", message: "No such field." }],
};

async function mountMap(answers = {}, props = {}) {
    mockDate("2026-04-30 12:00:00");
    patchWithCleanup(session.view_info, {
        journey_map: { display_name: "Journey Map", multi_record: true, icon: "fa fa-map-o" },
    });
    for (const [method, fallback] of Object.entries({
        get_map: MAP,
        get_earned: EARNED,
        get_paths: PATHS,
        get_migration: FLOWS,
    })) {
        onRpc("lifecycle.journey.map", method, ({ args }) => {
            const answer = answers[method] ?? fallback;
            return typeof answer === "function" ? answer(...args) : answer;
        });
    }
    await mountView({
        type: "journey_map",
        resModel: "lifecycle.profile",
        arch: `<journey_map/>`,
        searchViewId: false,
        ...props,
    });
    await animationFrame();
    await animationFrame();
}

test("stages are columns with their numbers", async () => {
    await mountMap();
    expect(".o_lifecycle_map_sentence").toHaveText(
        /^2,000 customers and prospects of Map Works, May 1, 2025/,
    );
    expect(".o_lifecycle_map_stage").toHaveCount(3);
    const first = ".o_lifecycle_map_stage[data-stage='1']";
    expect(`${first} .o_lifecycle_map_now`).toHaveText("1,200 now · 60%");
    expect(queryAllTexts(`${first} dd`)).toEqual(["1,991", "30", "49 days", "$ 1,235", "$ 5,000"]);
    expect(queryAllTexts(`${first} .o_lifecycle_map_next li`)).toEqual([
        "<b id='injected'>Active</b>\n25%",
        "Lost\n10%",
        "no longer a customer\n< 1%",
        "still here\n65%",
    ]);
    expect(`${first} .btn-link.o_lost`).toHaveCount(2);
    expect(".o_lifecycle_map_notes").toHaveText(/Not counted as moves: 7 changes/);
    expect("#injected").toHaveCount(0);
    expect(".o_lifecycle_map_losses").toHaveCount(0);
    expect(".o_lifecycle_map").toHaveAttribute("aria-busy", "false");
});

test("more credited than bought is explained", async () => {
    await mountMap({ get_earned: { earned: [[1, -120]], sampled: false } });
    expect(".o_lifecycle_map_stage[data-stage='1'] .o_earned").toHaveText("$ -120");
    expect(".o_lifecycle_map_losses").toHaveText(/credit notes of the period weigh more/);
    await contains(".o_lifecycle_map_stage[data-stage='1'] .o_lifecycle_help_tip").click();
    expect(".o_lifecycle_help").toHaveText(/invoice without an order/);
    expect(".o_lifecycle_map_stage .o_lifecycle_help_tip").toHaveCount(1);
});

test("numbers say aloud what they are", async () => {
    await mountMap();
    expect("[data-cell='now:1']").toHaveAttribute(
        "aria-label",
        "New: 1,200 customers now, 60% of all",
    );
    expect("[data-cell='next:1:3']").toHaveAttribute(
        "aria-label",
        "New, of 1,991 who entered: 10% Lost",
    );
    expect(queryAllAttributes(".o_lifecycle_map_ribbon", "role")).toEqual(["img"]);
});

test("ways are told step by step", async () => {
    await mountMap();
    const order = "[data-kind=order]";
    expect(`${order} > p:first`).toHaveText(
        "400 customers ordered for the first time. The ways of 100 of them were compared, " +
            "always the same, drawn by chance. Without any touchpoint before: 20.",
    );
    expect(queryAllTexts(`${order} tr:nth-child(1) .o_way li`)).toEqual([
        "…",
        "Call",
        "Overdue",
        "First order",
    ]);
    expect(queryAllTexts(`${order} tbody tr:nth-child(2) td`).slice(1)).toEqual([
        "10",
        "10%",
        "1 day",
        "$ 90",
    ]);
    expect(`${order} .o_step.o_bad`).toHaveCount(1);
    expect(`${order} [role=alert]`).toHaveText("“Fairs” is left out: No such field.");
    expect("[data-kind=loss] .o_event:first").toHaveText("Lost");
});

test("every number opens its customers, within the filter", async () => {
    const opened = [];
    mockService("action", {
        doAction(action) {
            opened.push([action.name, action.domain]);
        },
    });
    await mountMap({}, { context: { search_default_mine: 1 } });
    const company = ["company_id", "=", 4];
    const mine = ["name", "=", "Azure"];
    for (const cell of ["now:1", "entered:1", "left:1", "next:1:3", "order:0"]) {
        await contains(`[data-cell='${cell}']`).click();
    }
    const period = "1:2025-05-01:2026-04-30";
    expect(opened).toEqual([
        ["New", ["&", mine, "&", company, ["stage_id", "=", 1]]],
        [
            "Entered “New”",
            ["&", mine, "&", company, ["journey_map_cell", "=", `entered:${period}`]],
        ],
        [
            "Moved on from “New”",
            ["&", mine, "&", company, ["journey_map_cell", "=", `left:${period}`]],
        ],
        ["New: Lost", ["&", mine, "&", company, ["journey_map_cell", "=", `next:${period}:3`]]],
        ["Call → Overdue → First order", ["&", mine, ["id", "in", [11, 12]]]],
    ]);
});

test("the period is chosen, and goes to the server", async () => {
    await mountMap({
        get_map: (domain, period) => {
            expect.step(JSON.stringify(period));
            return MAP;
        },
    });
    for (const name of ["30", "this_year", "last_year", "dates"]) {
        await contains(".o_lifecycle_map_period").select(name);
        await animationFrame();
    }
    expect.verifySteps([
        '{"days":365}',
        '{"days":30}',
        '{"start":"2026-01-01","end":"2026-04-30"}',
        '{"start":"2025-01-01","end":"2025-12-31"}',
        '{"start":"2025-05-01","end":"2026-04-30"}',
    ]);
    expect(".o_lifecycle_map_dates input").toHaveCount(2);
});

test("a favorite brings its period and its steps along", async () => {
    const context = {
        journey_map: { period: { name: "90" }, options: { level: "lane", steps: 3 } },
    };
    await mountMap(
        {
            get_map: (domain, period) => {
                expect.step(period.days);
                return MAP;
            },
            get_paths: (domain, period, kind, options) => {
                expect.step(`${kind} ${options.level} ${options.steps}`);
                return PATHS;
            },
        },
        { context },
    );
    expect.verifySteps([90, "order lane 3", "loss lane 3"]);
    expect(".o_lifecycle_map_period").toHaveValue("90");
    await contains(".o_lifecycle_map_steps").select("2");
    expect.verifySteps(["order lane 2", "loss lane 2"]);
});

test("the same numbers stand in a table", async () => {
    await mountMap();
    await contains(".o_lifecycle_map_table_button").click();
    expect(".o_lifecycle_map_stages").toHaveCount(0);
    expect(queryAllTexts(".o_lifecycle_map_table tbody tr:first > *")).toEqual([
        ...["New", "1,200", "1,991", "30", "49 days", "$ 1,235", "$ 5,000"],
        "<b id='injected'>Active</b> 25%, Lost 10%, no longer a customer < 1%, still here 65%",
    ]);
});

test("figures of a sample say so", async () => {
    await mountMap({
        get_map: { ...MAP, sampled: 20000 },
        get_earned: { earned: [[1, 900]], sampled: 5000 },
    });
    expect(".o_earned:first").toHaveText("≈ $ 900");
    expect(".o_lifecycle_map_notes").toHaveText(/measured on 20,000 customers/);
    expect(".o_lifecycle_map_notes").toHaveText(/projected from 5,000 customers/);
});

test("stages stand there while ways are still sought", async () => {
    const answer = new Deferred();
    await mountMap({ get_paths: () => answer, get_earned: () => answer });
    expect(".o_lifecycle_map_stage").toHaveCount(3);
    expect("[data-kind=order]").toHaveAttribute("aria-busy", "true");
    expect(".o_earned:first").toHaveText("…");
    answer.resolve(PATHS);
    await animationFrame();
    await animationFrame();
    expect("[data-kind=order]").toHaveAttribute("aria-busy", "false");
});

test("a failed load says so and can be tried again", async () => {
    let fails = true;
    await mountMap({
        get_map: () => {
            if (fails) {
                throw new Error("The database is resting.");
            }
            return MAP;
        },
    });
    expect(".o_lifecycle_map [role=alert]").toHaveCount(1);
    fails = false;
    await contains("[role=alert] button").click();
    await animationFrame();
    expect(".o_lifecycle_map_stage").toHaveCount(3);
});

test("ways that fail leave the stages alone", async () => {
    await mountMap({
        get_paths: () => {
            throw new Error("Too many steps.");
        },
    });
    expect(".o_lifecycle_map_stage").toHaveCount(3);
    expect(queryAllTexts(".o_lifecycle_map_paths [role=alert] button")).toEqual([
        "Try again",
        "Try again",
    ]);
});

test("without customers it says what to expect", async () => {
    const nothing = { ...MAP, total: 0, stages: [] };
    await mountMap({ get_map: nothing }, { noContentHelp: markup`<p>No customers yet</p>` });
    expect(".o_view_nocontent").toHaveText("No customers yet");
    expect(".o_lifecycle_map_paths").toHaveCount(0);
});

test("a filter that nobody fits says so", async () => {
    const nothing = { ...MAP, total: 0, stages: [] };
    await mountMap({ get_map: nothing }, { context: { search_default_mine: 1 } });
    expect(".o_lifecycle_map_nothing").toHaveText("No customer fits this filter.");
    expect(".o_lifecycle_map_filter").toHaveCount(1);
});

test("moves between stages are told in money", async () => {
    const opened = [];
    mockService("action", { doAction: (action) => opened.push(action) });
    await mountMap();
    const table = ".o_lifecycle_map_flows";
    expect(`${table} p`).toHaveText(
        "Lost customers: 1,200. They had brought $ 5,400 in the 12 months before.",
    );
    expect(queryAllTexts(`${table} td`)).toEqual([
        ...["New", "→ Lost", "1,200", "≈ $ 5,400", "$ 10"],
        ...["no stage before", "→ New", "7", "–", "–"],
    ]);
    await contains(`${table} [data-cell='moved:1:3']`).click();
    expect(opened[0].name).toBe("New → Lost");
    // the picture beside the table: a band for each move, as wide as there are customers
    expect(queryAllTexts(`${table} svg text`)).toEqual([
        ...["New 1,200", "no stage before 7", "New 7", "Lost 1,200"],
    ]);
    const [wide, narrow] = queryAll(`${table} svg rect`).map((rect) => rect.getBBox().height);
    expect(wide).toBeGreaterThan(100 * narrow);
    expect(`${table} svg path`).toHaveCount(2);
    await contains(`${table} svg path:last`).click();
    expect(opened[1].name).toBe("no stage before → New");
    expect(opened[0].domain).toInclude([
        ...["journey_map_cell", "=", "moved:1:2025-05-01:2026-04-30:3"],
    ]);
});

test("without moves the map says so", async () => {
    await mountMap({ get_migration: { moves: [], sampled: false } });
    expect(".o_lifecycle_map_flows").toHaveText(/Nobody is in another stage/);
});
