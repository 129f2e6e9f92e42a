import { Component, onMounted, useRef } from "@odoo/owl";
import { useBus } from "@web/core/utils/hooks";
import { registry } from "@web/core/registry";
import { useModel } from "@web/model/model";
import { useSetupAction } from "@web/search/action_hook";
import { CogMenu } from "@web/search/cog_menu/cog_menu";
import { Layout } from "@web/search/layout";
import { SearchBar } from "@web/search/search_bar/search_bar";
import { useSearchBarToggler } from "@web/search/search_bar/search_bar_toggler";
import { standardViewProps } from "@web/views/standard_view_props";
import { JourneyMap } from "./journey_map";
import { JourneyMapModel } from "./journey_map_model";

/** The journey map as a view of customers: filters and favorites are those of the search bar. */
export class JourneyMapController extends Component {
    static template = "customer_lifecycle.JourneyMapView";
    static components = { CogMenu, JourneyMap, Layout, SearchBar };
    static props = { ...standardViewProps, Model: Function };

    setup() {
        const { context, state } = this.props;
        this.model = useModel(this.props.Model, { context, state: state?.journeyMap });
        useBus(this.model.bus, "update", () => this.render(true));
        // what came before there was anything to render anew
        onMounted(() => this.render(true));
        useSetupAction({
            rootRef: useRef("root"),
            getLocalState: () => ({ journeyMap: this.model.exportState() }),
            getContext: () => this.model.exportContext(),
        });
        this.searchBarToggler = useSearchBarToggler();
    }
}

export const journeyMapView = {
    type: "journey_map",
    Controller: JourneyMapController,
    Model: JourneyMapModel,
    searchMenuTypes: ["filter", "favorite"],
    props: (genericProps, view) => ({ ...genericProps, Model: view.Model }),
};

registry.category("views").add("journey_map", journeyMapView);
