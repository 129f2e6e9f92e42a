import { onWillStart } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { GraphRenderer } from "@web/views/graph/graph_renderer";
import { graphView } from "@web/views/graph/graph_view";

const { DateTime } = luxon;

/**
 * A chart in which a stage has the colour that it has everywhere, whatever its place, the measure
 * stands at the axis, and the month that is not over says so.
 */
export class LifecycleGraphRenderer extends GraphRenderer {
    setup() {
        super.setup();
        this.orm = useService("orm");
        this.stageColors = {};
        onWillStart(async () => {
            const stages = await this.orm.searchRead("lifecycle.stage", [], ["name", "color"]);
            for (const { name, color } of stages) {
                this.stageColors[name] = this.colorOf(color);
            }
        });
    }

    /** The colour of a number, as the style sheets have it. */
    colorOf(number) {
        const sample = document.createElement("span");
        sample.className = `o_lifecycle_color_${number % 12}`;
        document.body.append(sample);
        const color = getComputedStyle(sample).getPropertyValue("--stage").trim();
        sample.remove();
        return color;
    }

    /** The chart's parts in the colours of their stages, where they are stages. */
    paint(data, names) {
        for (const dataset of data.datasets) {
            // parts are named after the groups within the axis, of which the stage is one
            const group = dataset.label?.split(" / ").find((label) => this.stageColors[label]);
            if (group && dataset.type !== "line") {
                for (const name of names) {
                    dataset[name] = this.stageColors[group];
                }
            }
        }
        return data;
    }

    /** @override */
    getBarChartData() {
        const data = this.paint(super.getBarChartData(), ["backgroundColor"]);
        // stages side by side on the axis
        const colors = data.labels.map((label) => this.stageColors[label]);
        if (data.datasets.length === 1 && colors.some(Boolean)) {
            const [dataset] = data.datasets;
            dataset.backgroundColor = colors.map((color) => color || dataset.backgroundColor);
        }
        return data;
    }

    /** @override */
    getLineChartData() {
        return this.paint(super.getLineChartData(), [
            "borderColor",
            "hoverBackgroundColor",
            "pointBackgroundColor",
        ]);
    }

    /** @override */
    getPieChartData() {
        const data = super.getPieChartData();
        for (const dataset of data.datasets) {
            dataset.backgroundColor = dataset.backgroundColor?.map(
                (color, index) => this.stageColors[data.labels[index]] || color,
            );
        }
        return data;
    }

    /** @override */
    getScaleOptions() {
        const scales = super.getScaleOptions();
        if (scales.y) {
            scales.y.title.display = true;
            const { callback } = scales.x.ticks;
            const running = DateTime.now().toFormat("LLLL yyyy");
            scales.x.ticks.callback = (value, index) =>
                this.model.data.labels[index] === running
                    ? _t("%s (so far)", running)
                    : callback(value, index);
        }
        return scales;
    }
}

registry.category("views").add("lifecycle_graph", {
    ...graphView,
    Renderer: LifecycleGraphRenderer,
});
