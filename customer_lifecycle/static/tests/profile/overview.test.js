import { defineMailModels } from "@mail/../tests/mail_test_helpers";
import { expect, test } from "@odoo/hoot";
import { click, queryAllTexts, queryOne } from "@odoo/hoot-dom";
import { animationFrame, Deferred, mockDate } from "@odoo/hoot-mock";
import {
    contains,
    defineModels,
    fields,
    mockService,
    models,
    mountView,
    onRpc,
} from "@web/../tests/web_test_helpers";
import { setupChartJsForTests } from "@web/../tests/views/graph/graph_test_helpers";

class Customer extends models.Model {
    _name = "customer";
    name = fields.Char();
    _records = [{ id: 7, name: "Azure" }];
}

defineMailModels();
defineModels([Customer]);
setupChartJsForTests();

const FIGURES = {
    kind: "figures",
    customer: false,
    basis: "orders",
    profile_id: 3,
    currency_id: 1,
    value_is: "revenue",
    horizon: 365,
    headline: "Usually orders every 34 days; last order 12 days ago.",
    expected_label: "Expected in the next 12 months",
    explanation: "Predictions from 58 customers; in the back-test the total was off by 4 %.",
    clv_historical: 4321.5,
    revenue: 4321.5,
    order_count: 12,
    average_order_value: 360.13,
    order_interval: 34.2,
    first_order_date: "2025-02-03",
    last_order_date: "2026-04-18",
    days_since_last_order: 12,
    prediction: {
        clv_predicted: 1200,
        low: 300,
        high: 2900,
        expected_orders: 3.4,
        p_order: 0.82,
        p_order_30: 0.24,
        next_order_date: "2026-05-12",
        next_order_from: "2026-05-03",
        next_order_to: "2026-05-25",
        overdue: false,
    },
    years: [
        { year: 2025, earned: 3000, expected: 0, until: false },
        { year: 2026, earned: 1321.5, expected: 800, until: false },
        { year: 2027, earned: 0, expected: 400, until: "2027-04-30" },
    ],
};

async function mountOverview(resId = 7) {
    mockDate("2026-04-30 12:00:00");
    await mountView({
        type: "form",
        resModel: "customer",
        resId,
        arch: `<form><field name="name"/><widget name="lifecycle_overview"/></form>`,
    });
    await animationFrame();
}

test("figures are told in plain words", async () => {
    onRpc("lifecycle.profile", "get_partner_overview", ({ args }) => {
        expect(args).toEqual([7]);
        return FIGURES;
    });
    await mountOverview();
    expect(".o_lifecycle_headline").toHaveText(FIGURES.headline);
    expect("[data-tile=earned]").toHaveText(
        "Earned so far\n$ 4,321.50\n12 orders since February 3, 2025, $ 360 on average",
    );
    expect("[data-tile=expected]").toHaveText(
        "Expected in the next 12 months\n$ 1,200\nlikely $ 300 – $ 2,900",
    );
    expect("[data-tile=rhythm]").toHaveText(
        "Usually orders\nevery 34 days\nlast order: 12 days ago",
    );
    expect("[data-tile=next] dd span:first").toHaveText("around May 12");
    expect(queryOne("[data-tile=next] dd span:last").textContent).toMatch(/^May 3\s–\s25$/);
    expect("[data-tile=chance]").toHaveText(
        "Will order within 30 days\n24%\n82% within 365 days, 3.4 orders to be expected",
    );
});

test("without a regular rhythm it says so in place of a date", async () => {
    onRpc("get_partner_overview", () => ({
        ...FIGURES,
        prediction: {
            ...FIGURES.prediction,
            next_order_date: false,
            next_order_from: false,
            next_order_to: false,
        },
    }));
    await mountOverview();
    expect("[data-tile=next]").toHaveText("Next order\nno regular rhythm");
    expect("[data-tile=chance]").toHaveCount(1);
});

test("a window whose middle has passed says until when", async () => {
    onRpc("get_partner_overview", () => ({
        ...FIGURES,
        prediction: { ...FIGURES.prediction, next_order_date: "2026-04-28", due: true },
    }));
    await mountOverview();
    expect("[data-tile=next] dd span:first").toHaveText("due by May 25");
});

test("a window that is over says since when", async () => {
    onRpc("get_partner_overview", () => ({
        ...FIGURES,
        prediction: { ...FIGURES.prediction, next_order_to: "2026-04-25", overdue: true },
    }));
    await mountOverview();
    expect("[data-tile=next] dd span:first").toHaveText("overdue since April 25");
});

test("P(alive) shows only when the server tells it", async () => {
    onRpc("get_partner_overview", () => FIGURES);
    await mountOverview();
    expect("[data-tile=alive]").toHaveCount(0);
});

test("managers see P(alive)", async () => {
    onRpc("get_partner_overview", () => ({
        ...FIGURES,
        prediction: { ...FIGURES.prediction, p_alive: 0.998 },
    }));
    await mountOverview();
    expect("[data-tile=alive] dd span:first").toHaveText("over 99%");
});

test("the chart stacks what is expected on what was earned", async () => {
    onRpc("get_partner_overview", () => FIGURES);
    await mountOverview();
    const chart = Chart.getChart(queryOne(".o_lifecycle_year_chart canvas"));
    expect(chart.data.labels.map((label) => label[0])).toEqual(["2025", "2026", "2027"]);
    expect(chart.data.labels[2][1]).toBe("until Apr 30");
    expect(chart.data.datasets.map((dataset) => dataset.data)).toEqual([
        [3000, 1321.5, 0],
        [0, 800, 400],
    ]);
    // the same for those who cannot see it
    expect(queryAllTexts(".o_lifecycle_year_chart tbody tr:last > *")).toEqual([
        "2027 until Apr 30",
        "$ 0",
        "$ 400",
    ]);
});

test("a customer without purchases gets a sentence and no zeros", async () => {
    onRpc("get_partner_overview", () => ({
        kind: "none",
        customer: false,
        message: "No purchases yet; first figures after the first confirmed order.",
    }));
    await mountOverview();
    expect(".o_lifecycle_message").toHaveText(
        "No purchases yet; first figures after the first confirmed order.",
    );
    expect(".o_lifecycle_tiles, canvas").toHaveCount(0);
});

test("whoever may not see the figures reads whom to ask", async () => {
    onRpc("get_partner_overview", () => ({ kind: "hidden", message: "Ask Marc." }));
    await mountOverview();
    expect("[data-kind=hidden]").toHaveText("Ask Marc.");
    expect("[data-kind=hidden] .fa-lock").toHaveCount(1);
});

test("without enough data it says what is missing and predicts nothing", async () => {
    onRpc("get_partner_overview", () => ({
        ...FIGURES,
        prediction: false,
        explanation: "Not enough data for predictions: 14 of 20 customers.",
        years: FIGURES.years.slice(0, 1),
    }));
    await mountOverview();
    expect(".alert-info").toHaveText("Not enough data for predictions: 14 of 20 customers.");
    expect("[data-tile=expected] dd").toHaveText("–");
    expect("[data-tile=next], [data-tile=chance]").toHaveCount(0);
});

test("a lost customer's expected value is not dressed up as a range", async () => {
    onRpc("get_partner_overview", () => ({
        ...FIGURES,
        prediction: { ...FIGURES.prediction, clv_predicted: 40, low: 0, high: 0, overdue: true },
    }));
    await mountOverview();
    expect("[data-tile=expected] dd span:last").toHaveText("most likely nothing");
    expect("[data-tile=next] dd span:first").toHaveText("overdue since May 25");
    expect("[data-tile=next] .text-danger").toHaveCount(1);
});

test("a failed load says so and can be tried again", async () => {
    let fails = true;
    onRpc("get_partner_overview", () => {
        if (fails) {
            throw new Error("The database is resting.");
        }
        return FIGURES;
    });
    await mountOverview();
    expect("[role=alert]").toHaveCount(1);
    fails = false;
    await contains("[role=alert] button").click();
    expect("[data-tile=earned]").toHaveCount(1);
    expect("[role=alert]").toHaveCount(0);
});

test("the form does not wait for the figures", async () => {
    const answer = new Deferred();
    onRpc("get_partner_overview", () => answer);
    await mountOverview();
    expect("div[name=name]").toHaveCount(1);
    expect(".o_lifecycle_overview").toHaveAttribute("aria-busy", "true");
    expect(".placeholder").not.toHaveCount(0);
    answer.resolve(FIGURES);
    await animationFrame();
    await animationFrame();
    expect(".o_lifecycle_overview").toHaveAttribute("aria-busy", "false");
    expect(".placeholder").toHaveCount(0);
});

test("nothing is loaded before the tab is opened", async () => {
    onRpc("get_partner_overview", () => {
        expect.step("loaded");
        return FIGURES;
    });
    await mountView({
        type: "form",
        resModel: "customer",
        resId: 7,
        arch: `<form><notebook>
            <page name="first" string="First"><field name="name"/></page>
            <page name="second" string="Second"><widget name="lifecycle_overview"/></page>
        </notebook></form>`,
    });
    expect.verifySteps([]);
    await contains(".nav-link[name=second]").click();
    expect.verifySteps(["loaded"]);
});

test("a new contact has nothing to load", async () => {
    onRpc("get_partner_overview", () => {
        expect.step("loaded");
        return FIGURES;
    });
    await mountOverview(false);
    expect(".o_lifecycle_message").toHaveText(/^Save the contact first/);
    expect.verifySteps([]);
});

test("text from customers stays text", async () => {
    onRpc("get_partner_overview", () => ({
        ...FIGURES,
        customer: "<b id='injected'>Azure</b>",
        headline: "<img src=x onerror=alert(1)>",
    }));
    await mountOverview();
    expect("#injected, .o_lifecycle_overview img").toHaveCount(0);
    expect(".o_lifecycle_headline").toHaveText("<img src=x onerror=alert(1)>");
});

test("“How was this computed?” opens the documents", async () => {
    onRpc("get_partner_overview", () => FIGURES);
    onRpc("action_view_purchases", ({ args }) => {
        expect(args).toEqual([[3]]);
        return { type: "ir.actions.act_window", name: "Purchases" };
    });
    mockService("action", {
        doAction(action) {
            expect.step(action.name);
        },
    });
    await mountOverview();
    await contains(".o_lifecycle_computed").click();
    expect.verifySteps(["Purchases"]);
});

test("a figure explains itself on click", async () => {
    onRpc("get_partner_overview", () => FIGURES);
    await mountOverview();
    const button = "[data-tile=chance] .o_lifecycle_help_tip";
    expect(button).toHaveAttribute("aria-label", "What does “Will order within 30 days” mean?");
    await click(button);
    await animationFrame();
    expect(".o_lifecycle_help").toHaveText(/^P\(order\)/);
    await click(button);
    await animationFrame();
    expect(".o_lifecycle_help").toHaveCount(0);
});
