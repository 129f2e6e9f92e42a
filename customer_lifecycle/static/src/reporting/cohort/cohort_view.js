import { registry } from "@web/core/registry";
import { reportView } from "@customer_lifecycle/tools/report_view/report_view";
import { Cohort } from "./cohort";
import { CohortModel } from "./cohort_model";

registry
    .category("views")
    .add("lifecycle_cohort", reportView("lifecycle_cohort", CohortModel, Cohort));
