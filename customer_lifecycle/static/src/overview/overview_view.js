import { registry } from "@web/core/registry";
import { reportView } from "@customer_lifecycle/tools/report_view/report_view";
import { CustomersOverview } from "./overview";
import { OverviewModel } from "./overview_model";

registry
    .category("views")
    .add("lifecycle_overview", reportView("lifecycle_overview", OverviewModel, CustomersOverview));
