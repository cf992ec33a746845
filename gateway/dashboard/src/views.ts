// The words of the live stream, as the gateway's OpenAPI file defines them.
import type { components } from "./api";

type Schemas = components["schemas"];

export type Snapshot = Schemas["Snapshot"];
export type Delta = Schemas["Delta"];
export type Change = Schemas["Change"];
export type Section = Change["section"];
export type SiteView = Schemas["SiteView"];
export type LinkView = Schemas["LinkView"];
export type DoorView = Schemas["DoorView"];
export type ReaderView = Schemas["ReaderView"];
export type ShipmentView = Schemas["ShipmentView"];
export type ShipmentDetail = Schemas["ShipmentDetail"];
export type CaseView = Schemas["CaseView"];
export type CaseEvidence = Schemas["CaseEvidence"];
export type StockView = Schemas["StockView"];
export type ExceptionView = Schemas["ExceptionView"];
export type OrderView = Schemas["OrderView"];
export type DeviceView = Schemas["DeviceView"];
export type ConditionView = Schemas["ConditionView"];
export type LineView = Schemas["LineView"];
export type LotView = Schemas["LotView"];
export type GradeView = Schemas["GradeView"];
export type LotBeginning = Schemas["LotBeginning"];
export type VerdictView = Schemas["VerdictView"];
export type ReviewView = Schemas["ReviewView"];
export type FeedEntry = Schemas["FeedEntry"];
export type TitleView = Schemas["TitleView"];
export type ZoneView = Schemas["ZoneView"];
export type Beat = Schemas["Beat"];
export type Resolution = Schemas["Resolution"];
/** Who did something, and what or why. */
export type Deed = Schemas["Release"];
export type Problem = Schemas["Problem"];
export type Answer = Schemas["Answer"];
