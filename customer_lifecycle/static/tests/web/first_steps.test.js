import { defineMailModels } from "@mail/../tests/mail_test_helpers";
import { expect, test } from "@odoo/hoot";
import { queryAllTexts, queryRect } from "@odoo/hoot-dom";
import { advanceTime, animationFrame } from "@odoo/hoot-mock";
import {
    contains,
    defineModels,
    fields,
    mockService,
    models,
    mountView,
    onRpc,
} from "@web/../tests/web_test_helpers";

class Profile extends models.Model {
    _name = "profile";
    name = fields.Char();
    _records = [];
    _views = {
        list: `<list js_class="lifecycle_profile_list"><field name="name"/></list>`,
        kanban: `<kanban js_class="lifecycle_profile_kanban"><templates>
            <t t-name="card"><field name="name"/></t></templates></kanban>`,
    };
}

defineMailModels();
defineModels([Profile]);

/** The action whose list leads through the first steps. */
const LED = { context: { lifecycle_first_steps: "left" } };

function step(id, done = false, by_hand = false) {
    return { id, title: `Step ${id}`, text: "What for", action: `open ${id}`, done, by_hand };
}

const EMPTY = {
    confirmed: false,
    customers: 0,
    sample: [],
    currency_id: 1,
    computing: false,
    pos: false,
    steps: [step("sales"), step("figures"), step("tiers"), step("calls", true)],
};
const FULL = {
    ...EMPTY,
    customers: 40,
    sample: [{ id: 5, partner_id: [9, "<i>Azure</i>"], clv_historical: 1234.5 }],
    steps: [step("sales", true), ...EMPTY.steps.slice(1)],
};
const CONFIRMED = {
    ...FULL,
    confirmed: true,
    steps: [step("sales", true), step("figures", true), ...EMPTY.steps.slice(2)],
};

test("an empty database asks where the sales are", async () => {
    onRpc("lifecycle.first.steps", "get_state", () => EMPTY);
    mockService("action", {
        doAction(action) {
            expect.step(action.tag || action);
        },
    });
    await mountView({ type: "list", resModel: "profile", ...LED });
    expect(".o_lifecycle_first_steps").toHaveCount(1);
    expect(".o_lifecycle_finish").not.toBeEnabled();
    await contains("button:contains(Confirm an order)").click();
    await contains("button:contains(Import history)").click();
    expect.verifySteps(["sale.action_quotations_with_onboarding", "import"]);
});

test("with purchases it offers some customers to check, and takes one line when they are right", async () => {
    let state = FULL;
    onRpc("get_state", () => state);
    onRpc("action_view_purchases", ({ args }) => {
        expect(args).toEqual([[5]]);
        return "purchases of 5";
    });
    onRpc("finish", () => {
        expect.step("finish");
        state = CONFIRMED;
        return true;
    });
    mockService("action", {
        doAction(action) {
            expect.step(action);
        },
    });
    await mountView({ type: "kanban", resModel: "profile", ...LED });
    expect(queryAllTexts(".o_lifecycle_check")).toEqual(["<i>Azure</i>"]);
    await contains(".o_lifecycle_check").click();
    await contains(".o_lifecycle_finish").click();
    expect.verifySteps(["purchases of 5", "finish"]);
    expect(".o_lifecycle_steps").toHaveCount(0);
    expect(".o_lifecycle_progress").toHaveText("3 of 4 done");
    await contains(".o_lifecycle_next").click();
    expect.verifySteps(["open tiers"]);
});

test("the line opens, steps are ticked off by hand, and it can be put away", async () => {
    let state = CONFIRMED;
    onRpc("get_state", () => state);
    onRpc("tick", ({ args }) => {
        expect.step(`tick ${args}`);
        state = { ...state, steps: [...state.steps.slice(0, 3), step("calls", true, true)] };
        return true;
    });
    onRpc("close", () => {
        expect.step("close");
        state = false;
        return true;
    });
    await mountView({ type: "list", resModel: "profile", ...LED });
    await contains(".o_lifecycle_toggle").click();
    expect(".o_lifecycle_steps [data-step]").toHaveCount(4);
    expect("[data-step=calls] .o_lifecycle_tick").not.toBeEnabled();
    await contains("[data-step=tiers] .o_lifecycle_tick").click();
    expect("[data-step=calls] .o_lifecycle_tick").toBeEnabled();
    await contains(".o_lifecycle_close").click();
    expect.verifySteps(["tick tiers", "close"]);
    expect(".o_lifecycle_first_steps").toHaveCount(0);
});

test("asked for, all steps stand there even when they are done", async () => {
    onRpc("get_state", ({ args }) => {
        expect(args).toEqual([true]);
        return { ...CONFIRMED, steps: CONFIRMED.steps.map((one) => ({ ...one, done: true })) };
    });
    await mountView({
        type: "list",
        resModel: "profile",
        context: { lifecycle_first_steps: "all" },
    });
    expect(".o_lifecycle_steps [data-step]").toHaveCount(4);
});

test("other lists of customers show no steps", async () => {
    onRpc("get_state", () => expect.step("asked"));
    await mountView({ type: "list", resModel: "profile" });
    expect(".o_lifecycle_first_steps").toHaveCount(0);
    expect.verifySteps([]);
});

for (const type of ["list", "kanban"]) {
    test(`the words of an empty ${type} are whole and below the steps`, async () => {
        onRpc("lifecycle.first.steps", "get_state", () => EMPTY);
        await mountView({ type, resModel: "profile", noContentHelp: "Nobody yet", ...LED });
        const words = queryRect(".o_nocontent_help");
        expect(words.top).toBeGreaterThan(queryRect(".o_lifecycle_first_steps").bottom);
        expect(words.bottom).toBeLessThan(queryRect(`.o_${type}_renderer`).bottom);
    });
}

test("whoever has done it, or is no manager, sees the list alone", async () => {
    onRpc("get_state", () => false);
    await mountView({ type: "list", resModel: "profile", ...LED });
    expect(".o_lifecycle_first_steps").toHaveCount(0);
    expect(".o_list_renderer").toHaveCount(1);
});

test("while figures are computed it looks again and fills the list", async () => {
    let state = { ...EMPTY, computing: true };
    onRpc("get_state", () => state);
    onRpc("web_search_read", () => expect.step("list"));
    await mountView({ type: "list", resModel: "profile", ...LED });
    expect.verifySteps(["list"]);
    expect("[role=status]:first").toHaveText(/being added up/);
    state = FULL;
    await advanceTime(5000);
    await animationFrame();
    expect("[role=status]:first").toHaveText("40 customers with purchases found.");
    expect.verifySteps(["list"]);
    await advanceTime(20000);
    expect.verifySteps([]);
});
