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

const EMPTY = { customers: 0, sample: [], currency_id: 1, computing: false, pos: false };
const FULL = {
    ...EMPTY,
    customers: 40,
    sample: [{ id: 5, partner_id: [9, "<i>Azure</i>"], clv_historical: 1234.5 }],
};

test("an empty database asks where the sales are", async () => {
    onRpc("lifecycle.first.steps", "get_state", () => EMPTY);
    mockService("action", {
        doAction(action) {
            expect.step(action.tag || action);
        },
    });
    await mountView({ type: "list", resModel: "profile" });
    expect(".o_lifecycle_first_steps").toHaveCount(1);
    expect(".o_lifecycle_finish").not.toBeEnabled();
    await contains("button:contains(Confirm an order)").click();
    await contains("button:contains(Import history)").click();
    expect.verifySteps(["sale.action_quotations_with_onboarding", "import"]);
});

test("with purchases it offers some customers to check, and ends when they are right", async () => {
    onRpc("get_state", () => FULL);
    onRpc("action_view_purchases", ({ args }) => {
        expect(args).toEqual([[5]]);
        return "purchases of 5";
    });
    onRpc("finish", () => {
        expect.step("finish");
        return true;
    });
    mockService("action", {
        doAction(action) {
            expect.step(action);
        },
    });
    await mountView({ type: "kanban", resModel: "profile" });
    expect(queryAllTexts(".o_lifecycle_check")).toEqual(["<i>Azure</i>"]);
    await contains(".o_lifecycle_check").click();
    await contains(".o_lifecycle_finish").click();
    expect.verifySteps(["purchases of 5", "finish"]);
    expect(".o_lifecycle_first_steps").toHaveCount(0);
});

for (const type of ["list", "kanban"]) {
    test(`the words of an empty ${type} are whole and below the steps`, async () => {
        onRpc("lifecycle.first.steps", "get_state", () => EMPTY);
        await mountView({ type, resModel: "profile", noContentHelp: "Nobody yet" });
        const words = queryRect(".o_nocontent_help");
        expect(words.top).toBeGreaterThan(queryRect(".o_lifecycle_first_steps").bottom);
        expect(words.bottom).toBeLessThan(queryRect(`.o_${type}_renderer`).bottom);
    });
}

test("whoever has done it, or is no manager, sees the list alone", async () => {
    onRpc("get_state", () => false);
    await mountView({ type: "list", resModel: "profile" });
    expect(".o_lifecycle_first_steps").toHaveCount(0);
    expect(".o_list_renderer").toHaveCount(1);
});

test("while figures are computed it looks again and fills the list", async () => {
    let state = { ...EMPTY, computing: true };
    onRpc("get_state", () => state);
    onRpc("web_search_read", () => expect.step("list"));
    await mountView({ type: "list", resModel: "profile" });
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
