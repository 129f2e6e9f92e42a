import { defineMailModels } from "@mail/../tests/mail_test_helpers";
import { expect, test } from "@odoo/hoot";
import { advanceTime, animationFrame } from "@odoo/hoot-mock";
import { defineModels, fields, models, mountView, onRpc } from "@web/../tests/web_test_helpers";

class Run extends models.Model {
    _name = "run";
    progress = fields.Float();
    state = fields.Selection({
        selection: [
            ["pending", "Waiting"],
            ["running", "Running"],
            ["done", "Done"],
            ["failed", "Failed"],
        ],
    });
    step = fields.Selection({
        selection: [
            ["facts", "Purchase histories"],
            ["fit", "Fitting the model"],
        ],
    });
    _records = [
        { id: 1, progress: 0, state: "pending", step: "facts" },
        { id: 2, progress: 100, state: "done", step: "fit" },
    ];
}

defineMailModels();
defineModels([Run]);

function mountRun(resId) {
    return mountView({
        type: "form",
        resModel: "run",
        resId,
        arch: `<form><field name="progress" widget="lifecycle_run_progress"/></form>`,
    });
}

async function waitForPoll() {
    await advanceTime(2000);
    await animationFrame();
}

test("an open run is followed until it ends", async () => {
    const run = { id: 1, state: "pending", step: "facts", progress: 0 };
    onRpc("run", "web_read", () => {
        expect.step("read");
        return [{ ...run }];
    });
    await mountRun(1);
    expect("[role=status]").toHaveText("Waiting for the scheduled action to start…");

    Object.assign(run, { state: "running", step: "fit", progress: 52.4 });
    await waitForPoll();
    expect("[role=progressbar]").toHaveAttribute("aria-valuenow", "52");
    expect("[role=status]").toHaveText("Fitting the model");

    Object.assign(run, { state: "done", progress: 100 });
    await waitForPoll();
    expect("[role=progressbar]").toHaveAttribute("aria-valuenow", "100");
    expect("[role=status]").toHaveCount(0);
    expect.verifySteps(["read", "read", "read"]);

    // it has ended: nobody asks any more
    await waitForPoll();
    await waitForPoll();
    expect.verifySteps([]);
});

test("a finished run is left alone", async () => {
    onRpc("web_read", () => {
        expect.step("read");
    });
    await mountRun(2);
    await waitForPoll();
    expect.verifySteps(["read"]);
    expect(".progress-bar").toHaveClass("bg-success");
});
