import { registry } from "@web/core/registry";
import { reportView } from "@customer_lifecycle/tools/report_view/report_view";
import { JourneyMap } from "./journey_map";
import { JourneyMapModel } from "./journey_map_model";

registry
    .category("views")
    .add("journey_map", reportView("journey_map", JourneyMapModel, JourneyMap));
