import { Component, onWillStart, onWillUpdateProps, useState } from "@odoo/owl";
import { KeepLast } from "@web/core/utils/concurrency";
import { useService } from "@web/core/utils/hooks";
import { registry } from "@web/core/registry";
import { PivotRenderer } from "@web/views/pivot/pivot_renderer";
import { pivotView } from "@web/views/pivot/pivot_view";
import { HelpTip } from "@customer_lifecycle/tools/help_tip/help_tip";

/** What getting and keeping customers costs and brings, in words, for the filters that are set. */
export class EconomicsOverview extends Component {
    static template = "customer_lifecycle.EconomicsOverview";
    static components = { HelpTip };
    static props = { domain: Array, context: Object, onCounted: Function };

    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
        this.state = useState({ overview: null });
        this.keepLast = new KeepLast();
        onWillStart(() => this.load(this.props));
        onWillUpdateProps((props) => {
            const before = JSON.stringify([this.props.domain, this.props.context]);
            if (before !== JSON.stringify([props.domain, props.context])) {
                return this.load(props);
            }
        });
    }

    async load({ domain, context }) {
        this.state.overview = await this.keepLast.add(
            this.orm.call("lifecycle.economics", "get_overview", [domain], { context }),
        );
    }

    /** Large companies' orders are counted once a day. */
    async countAgain() {
        await this.orm.call("lifecycle.economics", "action_count_again", []);
        await this.load(this.props);
        await this.props.onCounted();
    }

    get sides() {
        return [
            { name: "getting", ...this.state.overview.getting },
            { name: "keeping", ...this.state.overview.keeping },
        ];
    }

    /** Figures that nobody knows say nothing: the text above says what to do about it. */
    known(side) {
        return side.figures.filter((figure) => figure.value !== null && figure.value !== false);
    }

    open(name) {
        return this.action.doAction(`customer_lifecycle.${name}`);
    }
}

export class EconomicsPivotRenderer extends PivotRenderer {
    static template = "customer_lifecycle.EconomicsPivotRenderer";
    static components = { ...PivotRenderer.components, EconomicsOverview };

    async reload() {
        await this.model.load(this.model.searchParams);
        this.model.notify();
    }
}

registry.category("views").add("lifecycle_economics_pivot", {
    ...pivotView,
    Renderer: EconomicsPivotRenderer,
});
