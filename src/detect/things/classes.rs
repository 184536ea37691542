//! Closed classes of words that decide where a noun phrase starts, ends and what it is named after.

use std::sync::LazyLock;

use rustc_hash::FxHashSet;

use crate::detect::words;

/// A class of words, by a hash of each.
type Class = LazyLock<FxHashSet<&'static str>>;

macro_rules! class {
    ($words:literal) => {
        LazyLock::new(|| $words.split_ascii_whitespace().collect())
    };
}

/// Words that, after another noun, make a thing of their own with it: "cake stand", "packing list".
static HEADS: Class = class!(
    "album app artist badge bag band basket batter board book booth bottle box burner can \
     canister card cart certificate chart choice class clip code cone copy cord costume counter \
     cover crew director draper driver drum entry extinguisher fan forecast form frame game \
     guide hanger hat helmet holder item jacket kit knife label lead lesson letter licence \
     light list machine map mat meeting monitor net note number option pack pad party pass \
     paste peg permit pillow pin plan plate player pole pot projector pump quiz rack rail \
     recipe ribbon robe roll room route runner scan screen set sheet shelter sign size slip \
     song spoon stall stand station stick stone sweet system table tag tank teacher tent throne \
     ticket tin toss towel toy tray troupe tub vase vest wall water wheel"
);

/// Who or what a thing is had from: "the cake lady" is about the cake.
static SELLERS: Class = class!(
    "account auntie aunties aunty balance bill bits bloke booking boys business chap company \
     contract crew deposit dude duty fee fees fella fellow firm fund girl guy guys hire invoice \
     lad ladies lads lady lot man men money office order outfit package payment people person \
     place question quote rental reservation run seller service shop shopping situation slot \
     stuff supplier team thing things vendor wala walas wali walla woman"
);

/// Words for how much of a thing: "a box of sweets" is about the sweets.
static PARTS: Class = class!(
    "all amount bag bags barrel batch bit bottle bottles bowl box boxes bunch bundle can cans \
     carton case cases copies copy couple crate crates dozen each final gallon half handful \
     head jar jug kg kilo kilos kind list litre litres load loads lot lots lump number one pack \
     packet packets packs pair pairs pallet photo pieces pile plate plates pot pound pounds \
     punnet rest roll rolls round sack sacks set sets sheet slab some sort stack tin tins ton \
     tons tray trays trolley tub tubs type"
);

/// Words before a noun that say how it is, not what.
static PLAIN: Class = class!(
    "actual alles available bad best better big bigger bit black blasted bleeding bloody blue \
     bottom brand broken cheap cheaper clean cold correct couple cream cute damn dear decent \
     different dozen dry early eight empty enough entire exact extra fancy feckin few fifty \
     final fine first five flat forty four free fresh full giant gold good gorgeous great green \
     halal half heavy hot huge hundred initial kosher large last late latest left light lil \
     little local long lovely main massive matching mini missing moi nearest new next nice nine \
     official old only open orange other own pink plain plenty poor portable posh poxy pretty \
     proper purple quick ready real red remaining right round same second seven several short \
     silly silver simple six small smaller solid spare sparkly special square tall ten third \
     thirty three tiny total twelve twenty two ur used usual various vegan vegetarian veggie \
     warm wee whatever white whole wooden wrong yellow yer yr"
);

/// Words that are no nouns a group plans: verbs, adverbs, times, people in general, greetings.
static NO_NOUNS: Class = class!(
    "2moro abeg abi able about above absolutely abuela across actually add advance again agency \
     ago ah ahead ain't allowed almost alone along alright also always am amazing among and \
     angel any anybody anymore anyone anything anyway anywhere apart apparently april area \
     arent around arvo asap aside ask asking attention august auntie aunty autumn away awful \
     aye babe babes baby back bag's barbecue bc bear beauty because been before behind being \
     beloved below beside besides between beyond bhabhi bhai bhaiya birthday bit bless block \
     body bol book boot boss bother brave bride bring bro brother bucks buddy budget's bum bump \
     buy bye call came can't cannot cant capisce captain's care catch cause ceremony chance \
     charge chat check cheers chief child children christening christmas city claim clear \
     clearly close clue collect come comes coming confirm cool corner corridor cos cost costs \
     couldnt country course cousin cover covered crack crowd cuz da dad dark darling das day \
     days de dead deadline deal dear dears december decide definitely delegate department der \
     dey dibs didi didnt die discount diwali doesnt doing dollars don done dont door's down \
     dude during e earlier early easter easy eh eid either el eleven else en end entrance eod \
     eow er especially etc euro euros evening event ever everybody everyone everyones \
     everything everywhere exactly exam exams except eye eyes face fact fam family far fast \
     fault fear february feel fetch find fit flag fly folks follow following forget forgot \
     forgotten forward fought friend friends front fully fun funeral funny fyi gave get gets \
     getting gie girls give given gives giving go god goes going gone gonna got gotta grade \
     gran grandad grandma grandpa granny groom group gud guess guest guys ha habit haha hai \
     half hand hands handy hang happen happens happy hard harm hasnt hat's hate havent head \
     heads hear heard heart hello help hen here hero hey hi hint hiya hold holler home hon \
     honest honestly honey honor honour hope hor hour hours however hr hrs hun id idea idk ill \
     im important in inside instead isnt it its itself ive january ji jij job jobs july june \
     just ka ke keen keep ki kid kids kind kinda kindly know knows la lad ladies lads lah land \
     landing lastly late later latest le learn least leave left legend leh lent less let lets \
     life like line list's literally lol look looking looks lor lot loud love lovely's luck \
     lunchtime made majesty make makes making mama man manage many mate mates matter maybe mean \
     means meant meet mention mess midday middle midnight min mind mine mins minute minutes mom \
     moment month months moon morn morning most mostly mother mouth move much mum mummy myself \
     n na nae nah naira name names nan nana near nearly need needed needs neither never night \
     nobody nobodys noise none nonna noon nope nor normal note nothing notice november nowhere \
     nudge number o obviously och october oh ok okay oma once one ones onto opa open opinion \
     opposite option or order others otherwise ought ours outside owner owners oya pal papa \
     part party past path pay pence people per perhaps person pesos pick pints place plus plz \
     pm point pop possible possibly pound pounds ppl pretty price prices private probably \
     problem promise proper properly public pull put quarter question quick quickly quid quite \
     quote quotes rain ramadan rand rate rates rather reach reaches read ready real realised \
     really reason reception reckon regard regards regel remember reminder rest right road run \
     rupees sad safe said sake same saw say saying says see seem seems seen sef self send sent \
     september seriously service set sets several sharp sharpish she'll shepherd shillings \
     shoot shot shouldnt shout show shut shuts side since sir sirs sis sister sit sitting \
     situation size sky slightly smile so soft somebody somehow someone someones something \
     sometime somewhere soon sorry sort sorted soul sound sounds spare speak speaks spot spring \
     stag stand standing start starts stay still stop storage straight strand strands stranger \
     street stuff such summer sun sunday's suppose supposed sure take taken takes talk task \
     team tell test thank thanks thatll thats theirs them thing things think thinking tho \
     though thought through thx tia till time times tired tmr tmrw today toddler todo together \
     told tomorrow tonight tonite totally touch toward towards town tried trouble true trunk \
     trust try trying turn turns ty tío una uncle under unless up upon urgent urgently use used \
     useful usual usually version very via village voice volunteer volunteering volunteers von \
     wait waiting wake walk walking wan wanna want wanted wants warm way ways website wedding \
     weds wee week weekend weeks weird well went whatever wherever whether while whoever \
     whoevers whole whos whose win wins winter wish with within without wkend wknd wonder \
     wondering wont word work working works world worry worse worst worth wouldnt wrong x xmas \
     xx y'all ya yaar yall yay yeah year years yell yep yer yes yesterday yo yours yourself \
     drop print pass sleep play double even break cut live answer twice lock quiet request \
     arrive drive write btw hit paid jump owe consider lost grand blank single due minimum \
     online strong broke discuss math kept require lapse contain met gentle lose sell high \
     joke pray closest fall nab outdoor held choose argument spelt nearby release tak dem abt \
     ish taught believe ensure themselve vanish gimme allow dig legal serious vendredi hmm \
     push wear drove hain overnight dusk eighty sixty thru died lemme bare flie stood fell \
     taker her medium shop office school parent market desk guy slot boy degree trip law \
     committee step porch leg knee lady wife yard lake adult fortnight mile outlet email \
     phone mission piece fella bloke folk men plan-b mighty minus dept branch nephew niece \
     father godmother grandparent finger wrist arm thumb foot embassy hole lane tower case \
     facility layout arrival surprise expiry gear colour age crime dream fellow \
     zero"
);

/// Prepositions: what stands behind them is seldom what is to be done.
static BEHIND: Class = class!(
    "across after around as at because before behind beside between by cos during from if in \
     inside into like near on onto outside over round since so than till under until when while"
);

pub(super) fn is_head(word: &str) -> bool {
    HEADS.contains(word)
}

pub(super) fn is_seller(word: &str) -> bool {
    SELLERS.contains(word)
}

pub(super) fn is_part(word: &str) -> bool {
    PARTS.contains(word)
}

pub(super) fn is_plain(word: &str) -> bool {
    PLAIN.contains(word)
}

pub(super) fn is_behind(word: &str) -> bool {
    BEHIND.contains(word)
}

/// Whether the word may stand in the name of a thing that the lexicon does not know.
pub(super) fn may_be_noun(word: &str) -> bool {
    word.len() > 2
        && word.chars().all(char::is_alphabetic)
        && !words::is_function(word)
        && !words::DAYS.contains(word)
        && !words::MONTHS.contains(word)
        && !NO_NOUNS.contains(word)
        && !is_plain(word)
        && !(word.ends_with("ly") && word.len() > 4)
        && !(word.ends_with("ed") && word.len() > 4)
        && !(word.ends_with("ing") && word.len() > 5)
}
