import { defineMailModels } from "@mail/../tests/mail_test_helpers";
import { expect, test } from "@odoo/hoot";
import { queryAllAttributes, queryAllTexts } from "@odoo/hoot-dom";
import { animationFrame } from "@odoo/hoot-mock";
import {
    contains,
    defineModels,
    fields,
    mockService,
    models,
    mountView,
    mountWithCleanup,
    onRpc,
} from "@web/../tests/web_test_helpers";
import { CustomerChips } from "@customer_lifecycle/profile/customer_chips/customer_chips";

class Workflow extends models.Model {
    _name = "workflow";
    step_ids = fields.One2many({ relation: "step" });
    _records = [{ id: 1, step_ids: [11, 12, 13] }];
}

class Step extends models.Model {
    _name = "step";
    title = fields.Char();
    depth = fields.Integer();
    sequence = fields.Integer();
    waiting_count = fields.Integer();
    _records = [
        { id: 11, title: "Ask", depth: 0, sequence: 1, waiting_count: 4 },
        { id: 12, title: "Write", depth: 1, sequence: 2, waiting_count: 0 },
        { id: 13, title: "Call", depth: 0, sequence: 3, waiting_count: 2 },
    ];
    _views = { form: `<form><field name="title"/></form>` };
}

defineMailModels();
defineModels([Workflow, Step]);

function mountFlow() {
    return mountView({
        type: "form",
        resModel: "workflow",
        resId: 1,
        arch: `
            <form><field name="step_ids" widget="lifecycle_workflow_flow" mode="kanban">
                <kanban class="o_lifecycle_flow">
                    <field name="depth"/>
                    <field name="sequence" widget="handle"/>
                    <templates><t t-name="card">
                        <div class="o_lifecycle_flow_card" t-att-data-depth="record.depth.raw_value">
                            <field name="title"/>
                        </div>
                        <button name="action_view_waiting" type="object">
                            <field name="waiting_count"/>
                        </button>
                    </t></templates>
                </kanban>
            </field></form>`,
    });
}

const CARDS = ".o_lifecycle_flow_field .o_kanban_record:not(.o_kanban_ghost)";

test("steps stand one below the other, those of a branch further in", async () => {
    await mountFlow();
    expect(queryAllTexts(`${CARDS} .o_lifecycle_flow_card`)).toEqual(["Ask", "Write", "Call"]);
    expect(queryAllAttributes(".o_lifecycle_flow_card", "data-depth")).toEqual(["0", "1", "0"]);
    const [ask, write, call] = document.querySelectorAll(CARDS);
    const [top, inside, below] = [ask, write, call].map((card) => card.getBoundingClientRect());
    expect(inside.top).toBeGreaterThan(top.bottom);
    expect(below.top).toBeGreaterThan(inside.bottom);
    expect(inside.left).toBeGreaterThan(top.left);
    expect(below.left).toBe(top.left);
});

test("a number opens its list, the card its step", async () => {
    mockService("action", {
        doActionButton(params) {
            expect.step(`${params.name} ${params.resId}`);
            params.onClose?.();
        },
    });
    await mountFlow();
    await contains(`${CARDS}:nth-child(3) button[name=action_view_waiting]`).click();
    expect.verifySteps(["action_view_waiting 13"]);
    expect(".modal").toHaveCount(0);
    await contains(`${CARDS} .o_lifecycle_flow_card:contains(Ask)`).click();
    expect(".modal .o_form_view [name=title] input").toHaveValue("Ask");
});

test("a workflow is stopped on the contact after asking", async () => {
    const stop = {
        label: "Stop “Win back”",
        model: "lifecycle.workflow.enrollment",
        method: "action_stop",
        ids: [5],
        confirm: "Stop this workflow for this customer?",
    };
    const chip = {
        name: "workflows",
        label: "Workflows",
        value: "Win back",
        tone: "info",
        why: ["“Win back”: next “Call”, tomorrow."],
        actions: [stop],
    };
    onRpc("lifecycle.workflow.enrollment", "action_stop", ({ args }) => {
        expect.step(`stop ${args[0]}`);
        return false;
    });
    await mountWithCleanup(CustomerChips, {
        props: { chips: [chip], reload: () => expect.step("reload") },
    });
    await contains("button[data-chip=workflows]").click();
    expect(".o_lifecycle_why li").toHaveText(chip.why[0]);
    await contains("button[data-method=action_stop]").click();
    expect.verifySteps([]);
    await contains(".modal-footer .btn-primary").click();
    await animationFrame();
    expect.verifySteps(["stop 5", "reload"]);
});
