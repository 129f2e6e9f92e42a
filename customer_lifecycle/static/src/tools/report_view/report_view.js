import { Component, onMounted, useRef } from "@odoo/owl";
import { useBus } from "@web/core/utils/hooks";
import { useModel } from "@web/model/model";
import { useSetupAction } from "@web/search/action_hook";
import { CogMenu } from "@web/search/cog_menu/cog_menu";
import { Layout } from "@web/search/layout";
import { SearchBar } from "@web/search/search_bar/search_bar";
import { useSearchBarToggler } from "@web/search/search_bar/search_bar_toggler";
import { standardViewProps } from "@web/views/standard_view_props";

/** A report as a view of customers: filters and favorites are those of the search bar. */
export class ReportController extends Component {
    static template = "customer_lifecycle.ReportView";
    static components = { CogMenu, Layout, SearchBar };
    static props = { ...standardViewProps, Model: Function, Report: Function };

    setup() {
        const { context, state } = this.props;
        this.model = useModel(this.props.Model, { context, state: state?.report });
        useBus(this.model.bus, "update", () => this.render(true));
        // what came before there was anything to render anew
        onMounted(() => this.render(true));
        useSetupAction({
            rootRef: useRef("root"),
            getLocalState: () => ({ report: this.model.exportState() }),
            getContext: () => this.model.exportContext(),
        });
        this.searchBarToggler = useSearchBarToggler();
    }
}

/**
 * @param type - of the view
 * @param Model - with ``exportState`` and ``exportContext``
 * @param Report - component that shows what the model has loaded
 */
export function reportView(type, Model, Report) {
    return {
        type,
        Controller: ReportController,
        Model,
        searchMenuTypes: ["filter", "favorite"],
        props: (genericProps) => ({ ...genericProps, Model, Report }),
    };
}
