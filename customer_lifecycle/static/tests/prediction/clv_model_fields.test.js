import { defineMailModels } from "@mail/../tests/mail_test_helpers";
import { expect, test } from "@odoo/hoot";
import { queryAllTexts, queryOne } from "@odoo/hoot-dom";
import { defineModels, fields, models, mountView } from "@web/../tests/web_test_helpers";
import { setupChartJsForTests } from "@web/../tests/views/graph/graph_test_helpers";

const METHOD = {
    mae: 0.7512,
    rmse: 1.5,
    bias_pct: -3.25,
    top_decile_pct: 41,
    auc: 0.81,
    calibration_error: 2.34,
};
const BACKTEST = {
    calibration_end: 20000,
    holdout_end: 20180,
    n_customers: 250,
    methods: {
        product: METHOD,
        model: { ...METHOD, auc: null },
        past_rate: { ...METHOD, mae: 0.9 },
    },
    deciles: [
        { predicted: 4.5, actual: 4, customers: 25 },
        { predicted: 0.25, actual: 0.5, customers: 25 },
    ],
};

class Fit extends models.Model {
    _name = "fit";
    backtest = fields.Json();
    parameters = fields.Json();
    _records = [
        {
            id: 1,
            backtest: BACKTEST,
            parameters: { r: 0.24256, method: "gamma_gamma", none: null },
        },
        { id: 2, backtest: false, parameters: false },
        {
            id: 3,
            backtest: {
                ...BACKTEST,
                methods: { product: { ...METHOD, bias_pct: null } },
            },
        },
        {
            id: 4,
            backtest: {
                ...BACKTEST,
                reliability: [
                    { predicted: 0.9, actual: 0.8, customers: 25 },
                    { predicted: 0.1, actual: 0.12, customers: 25 },
                ],
                month: { predicted_pct: 12.34, actual_pct: 11 },
            },
        },
    ];
}

defineMailModels();
defineModels([Fit]);
setupChartJsForTests();

function mountFit(resId) {
    return mountView({
        type: "form",
        resModel: "fit",
        resId,
        arch: `<form>
            <field name="backtest" widget="lifecycle_backtest"/>
            <field name="parameters" widget="lifecycle_key_values"/>
        </form>`,
    });
}

test("the back-test shows predicted against actual by tenth", async () => {
    await mountFit(1);
    const chart = Chart.getChart(queryOne(".o_lifecycle_backtest canvas"));
    expect(chart.data.labels).toEqual(["1", "2"]);
    expect(chart.data.datasets.map((dataset) => dataset.data)).toEqual([
        [4.5, 0.25],
        [4, 0.5],
    ]);
    expect(".o_lifecycle_backtest > p").toHaveText(
        "250 customers, 180 days forecast from what was known before: the total was 3 % too low.",
    );
});

test("chances are drawn against what came true, the least likely first", async () => {
    await mountFit(4);
    const chart = Chart.getChart(queryOne(".o_lifecycle_chances canvas"));
    expect(chart.data.datasets[0].data.map(({ x, y }) => [x, y])).toEqual([
        [0.1, 0.12],
        [0.9, 0.8],
    ]);
    expect(".o_lifecycle_backtest > p:eq(1)").toHaveText(
        "A chance of an order was off by 2.3 points on average. Within 30 days 12.3% of the customers were expected to order, 11.0% did.",
    );
    // the same for those who cannot see it
    expect(queryAllTexts(".o_lifecycle_chances + table tbody tr:eq(0) > *")).toEqual([
        "1",
        "10%",
        "12%",
    ]);
});

test("a fit from before chances were judged shows none", async () => {
    await mountFit(1);
    expect(".o_lifecycle_chances").toHaveCount(0);
    expect("canvas").toHaveCount(1);
});

test("methods are compared line by line; what is not defined is a dash", async () => {
    await mountFit(1);
    expect(queryAllTexts(".o_lifecycle_methods tbody th")).toEqual([
        "What is shown",
        "The fitted model alone",
        "Each customer's past rate",
    ]);
    expect(queryAllTexts(".o_lifecycle_methods tbody tr:eq(1) td")).toEqual([
        "0.751",
        "1.500",
        "-3.3",
        "41",
        "–",
    ]);
});

test("without a back-test it says why", async () => {
    await mountFit(2);
    expect(".o_lifecycle_backtest p").toHaveText(/^No back-test yet/);
    expect("canvas").toHaveCount(0);
    expect("[name=parameters]").toHaveText("none");
});

test("a past in which nobody ordered has no error to show", async () => {
    await mountFit(3);
    expect(".o_lifecycle_backtest > p").toHaveText(/nobody ordered/);
});

test("parameters are listed by name", async () => {
    await mountFit(1);
    expect(queryAllTexts("[name=parameters] dt")).toEqual(["r", "method"]);
    expect(queryAllTexts("[name=parameters] dd")).toEqual(["0.243", "gamma_gamma"]);
});
