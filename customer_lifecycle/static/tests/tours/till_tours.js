import { registry } from "@web/core/registry";

/** Helpers of the till's own tours; looked up late, since the till may not be installed. */
function helpers() {
    const path = "@point_of_sale/../tests";
    const get = (name) => odoo.loader.modules.get(`${path}/${name}`);
    return {
        Chrome: get("pos/tours/utils/chrome_util"),
        Dialog: get("generic_helpers/dialog_util"),
        PaymentScreen: get("pos/tours/utils/payment_screen_util"),
        ProductScreen: get("pos/tours/utils/product_screen_util"),
        ReceiptScreen: get("pos/tours/utils/receipt_screen_util"),
        TicketScreen: get("pos/tours/utils/ticket_screen_util"),
    };
}

/** The first page of a till, and what it is asked for first, take long on a busy machine. */
function patient(...steps) {
    return steps.flat().map((step) => ({ ...step, timeout: 60000 }));
}

function open() {
    const { Chrome, Dialog } = helpers();
    return [Chrome.startPoS(), Dialog.confirm("Open Register")].flat();
}

/** Sells three pieces, as somebody at the till does. */
function sell() {
    const { PaymentScreen, ProductScreen, ReceiptScreen } = helpers();
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
    const { PaymentScreen, ProductScreen, TicketScreen } = helpers();
    return [
        ProductScreen.clickRefund(),
        TicketScreen.selectOrder("001"),
        ProductScreen.clickNumpad(pieces),
        TicketScreen.confirmRefund(),
        PaymentScreen.isShown(),
    ];
}

function payOut() {
    const { PaymentScreen, ProductScreen, ReceiptScreen } = helpers();
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
            helpers().ProductScreen.clickPartnerButton(),
            helpers().ProductScreen.clickCustomer("Till Buyer", true),
            sell().flat(),
            giveBack("1").flat(),
            payOut().flat(),
        ),
});

registry.category("web_tour.tours").add("lifecycle_till_refund_of_nobody", {
    steps: () => patient(open(), sell().flat(), giveBack("1").flat(), payOut().flat()),
});
