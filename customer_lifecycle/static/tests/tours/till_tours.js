import * as Chrome from "@point_of_sale/../tests/pos/tours/utils/chrome_util";
import * as Dialog from "@point_of_sale/../tests/generic_helpers/dialog_util";
import * as PaymentScreen from "@point_of_sale/../tests/pos/tours/utils/payment_screen_util";
import * as ProductScreen from "@point_of_sale/../tests/pos/tours/utils/product_screen_util";
import * as ReceiptScreen from "@point_of_sale/../tests/pos/tours/utils/receipt_screen_util";
import * as TicketScreen from "@point_of_sale/../tests/pos/tours/utils/ticket_screen_util";
import { registry } from "@web/core/registry";

/** The first page of a till, and what it is asked for first, take long on a busy machine. */
function patient(...steps) {
    return steps.flat().map((step) => ({ ...step, timeout: 60000 }));
}

function open() {
    return [Chrome.startPoS(), Dialog.confirm("Open Register")].flat();
}

/** Sells three pieces, as somebody at the till does. */
function sell() {
    return [
        ProductScreen.addOrderline("Till item", "3"),
        ProductScreen.clickPayButton(),
        PaymentScreen.clickPaymentMethod("Cash"),
        PaymentScreen.clickValidate(),
        ReceiptScreen.isShown(),
        ReceiptScreen.clickNextOrder(),
    ];
}

/** Chooses so and so many pieces of the first order for a refund. */
function giveBack(pieces) {
    return [
        ProductScreen.clickRefund(),
        TicketScreen.selectOrder("001"),
        ProductScreen.clickNumpad(pieces),
        TicketScreen.confirmRefund(),
        PaymentScreen.isShown(),
    ];
}

function payOut() {
    return [
        PaymentScreen.clickPaymentMethod("Cash"),
        PaymentScreen.clickValidate(),
        ReceiptScreen.isShown(),
        ReceiptScreen.clickNextOrder(),
        ProductScreen.isShown(),
    ];
}

registry.category("web_tour.tours").add("lifecycle_till_refund", {
    steps: () =>
        patient(
            open(),
            ProductScreen.clickPartnerButton(),
            ProductScreen.clickCustomer("Till Buyer", true),
            sell().flat(),
            giveBack("1").flat(),
            payOut().flat(),
        ),
});

registry.category("web_tour.tours").add("lifecycle_till_refund_of_nobody", {
    steps: () => patient(open(), sell().flat(), giveBack("1").flat(), payOut().flat()),
});
