//! Given names of many peoples: what tells a name at the start of a sentence, or in lower case, from a word.

use crate::detect::word_set::{WordSet, set};

/// Names that are words as well are left out.
#[rustfmt::skip]
static GIVEN: WordSet = set!(&[
    "aaliyah", "aarav", "aaron", "aarushi", "abby", "abena", "abigail", "abuela", "achieng", "adaeze", "adam", "ade", "adele",
    "adi", "aditi", "aditya", "adjoa", "adrian", "aftab", "agatha", "agnes", "agnieszka", "ahmed", "aidan", "aileen", "ailsa",
    "aisha", "aisyah", "akash", "akinyi", "alan", "albert", "alec", "alessandro", "alex", "alexa", "alfie", "ali", "alice", "aling",
    "alison", "allan", "alun", "amanda", "amara", "amber", "amelia", "amina", "amir", "amirul", "amit", "amos", "amrit", "amy",
    "amélie", "ana", "anand", "ananya", "ander", "andre", "andrea", "andrew", "andrzej", "andrés", "andy", "ange", "angela",
    "angie", "anh", "anita", "anjali", "anjana", "anke", "ann", "anna", "anne", "anneke", "anneliese", "annie", "annika", "anouk",
    "anthony", "antoine", "anton", "antonio", "anwar", "anya", "aoibhinn", "aoife", "areeba", "arjun", "arko", "arnel", "aroha",
    "arthur", "ashley", "atieno", "audrey", "aurélie", "ayesha", "ayo", "aziz", "balbir", "baraka", "barbara", "barry", "bartosz",
    "bashir", "basia", "bastien", "baz", "bea", "beata", "beatrice", "beatriz", "bec", "becca", "becky", "ben", "benji", "beppe",
    "bernadette", "bernard", "bernice", "bernie", "bertrand", "beth", "bethany", "betty", "bev", "beverley", "bex", "bianca",
    "biju", "bilal", "billy", "bimpe", "birgit", "birte", "bisi", "blake", "bobby", "bong", "boniface", "bonnie", "boz", "brad",
    "bradley", "bram", "bree", "brenda", "brendan", "brett", "bri", "brian", "brianna", "bridget", "bronagh", "bronte", "bruce",
    "bruno", "bryan", "bukky", "bukola", "bác", "caleb", "callie", "callum", "camila", "camille", "caoimhe", "carl", "carla",
    "carmela", "carmen", "caro", "carol", "caroline", "carolyn", "carter", "carys", "cath", "catherine", "cathy", "cecilia",
    "chantal", "charlene", "charles", "charlie", "charlotte", "chebet", "chelsea", "cheryl", "chhotu", "chiara", "chidi", "chinedu",
    "chinwe", "chioma", "chipo", "chitra", "chloe", "chloé", "chris", "christian", "christina", "christine", "christopher", "chuy",
    "cian", "ciara", "cindy", "claire", "claudia", "clive", "cody", "colette", "colin", "colleen", "colm", "concepta", "connie",
    "conor", "cooper", "cora", "courtney", "craig", "cressida", "curtis", "cynthia", "dai", "dalton", "dami", "damian", "damo",
    "dan", "dana", "dani", "daniel", "danielle", "danjuma", "danny", "dante", "dara", "darlene", "darren", "dave", "david",
    "davide", "davo", "dean", "deb", "debbie", "deborah", "declan", "dede", "dee", "deepa", "deepak", "deepika", "deirdre", "deja",
    "dela", "delia", "denis", "deniz", "dennis", "derek", "dervla", "des", "desmond", "dessie", "devika", "devon", "dewayne",
    "dewi", "dhruv", "diana", "diane", "diego", "dilani", "dilnoza", "dilshan", "dinesh", "divya", "dlamini", "dom", "dominic",
    "donal", "donna", "doreen", "doris", "dorothy", "doug", "douglas", "dre", "duane", "duggie", "duncan", "dustin", "dutchy",
    "dwayne", "dylan", "eamon", "ebere", "eddie", "edgar", "edith", "edna", "edward", "edwin", "efua", "eileen", "eilidh", "elaine",
    "eleanor", "elena", "eli", "elif", "elin", "elisa", "elizabeth", "ella", "ellen", "ellie", "elsie", "emeka", "emer", "emily",
    "emma", "eric", "erica", "erin", "esben", "esi", "esme", "esther", "ethan", "eunice", "eva", "evelyn", "ewa", "ewan", "ewelina",
    "faith", "faiz", "faiza", "fanie", "farah", "farhan", "farid", "faridah", "faried", "fatima", "fatma", "faye", "felix", "femi",
    "femke", "ferdinand", "fergal", "fergus", "ffion", "fiachra", "fiete", "finn", "fiona", "fionn", "fleur", "fliss", "flo",
    "florence", "florian", "folake", "frances", "francesca", "francis", "franziska", "fred", "freddie", "freya", "gabe", "gabriel",
    "gaby", "gadija", "gail", "ganesan", "ganesh", "gareth", "gary", "gav", "gavin", "geert", "geeta", "gemma", "geoff", "george",
    "georgia", "georgina", "gerald", "geraldine", "gerard", "gerry", "gethin", "gianni", "gill", "gina", "giorgio", "giulia",
    "giuseppe", "gladys", "glen", "glenda", "glenn", "gloria", "glyn", "gogo", "gopal", "gord", "gordon", "gosia", "grace",
    "graham", "grant", "granville", "greg", "gretchen", "gráinne", "gunnar", "gurpreet", "gus", "gwen", "gwil", "gwilym", "günter",
    "hafiz", "hafizah", "hal", "hamish", "hamza", "hana", "hannah", "hanneke", "hans", "harini", "harold", "harpreet", "harriet",
    "harry", "harsh", "haruka", "harvey", "hassan", "hatty", "hayden", "hector", "heike", "heinz", "helen", "helena", "hemi",
    "henry", "hilary", "hira", "hiro", "honza", "howard", "hoyt", "hugh", "hugo", "hui", "huw", "hyacinth", "håkon", "iain", "ian",
    "ibrahim", "ify", "ignacio", "ikenna", "ilse", "imani", "imogen", "imraan", "imran", "ines", "ingrid", "inma", "inès", "ioan",
    "irene", "isaac", "isabel", "isabella", "isha", "ishaan", "isla", "ivan", "iwona", "jacinta", "jackie", "jacob", "jacqueline",
    "jada", "jake", "jamar", "james", "jamie", "jana", "janet", "janice", "jannik", "jared", "jarrod", "jas", "jasmine", "jason",
    "javier", "jayden", "jaylen", "jaz", "jean", "jeff", "jeffrey", "jemma", "jen", "jenna", "jennifer", "jenny", "jeremy",
    "jerome", "jerry", "jess", "jessa", "jessica", "jesús", "jhun", "jiaying", "jill", "jim", "jimmy", "jo", "joan", "joanne",
    "joaquín", "jody", "joe", "joel", "johan", "johann", "john", "johnny", "jomar", "jon", "jonah", "jonas", "jonathan", "jonny",
    "jools", "joost", "jordan", "jorge", "joseph", "josephine", "josh", "josé", "joyce", "juan", "judith", "judy", "jule", "jules",
    "julia", "julian", "julie", "julien", "jun", "junaid", "junior", "justin", "jye", "jürgen", "kabir", "kagiso", "kaiwen",
    "kalle", "kamau", "karan", "karen", "karim", "karl", "karthik", "kasia", "kate", "kath", "katherine", "kathleen", "kathryn",
    "kathy", "katie", "katrin", "katy", "kauthar", "kavya", "kayla", "kaylee", "keisha", "keith", "kel", "kelechi", "kelvin", "ken",
    "kenji", "kenneth", "kerry", "kev", "kevin", "kieran", "kim", "kirk", "kirsteen", "kirsty", "klaus", "koen", "kofi", "kojo",
    "kowalczyk", "kris", "kristen", "kristi", "kristina", "kriti", "kuba", "kumar", "kumaran", "kunal", "kunle", "kurt", "kwabena",
    "kwame", "kwesi", "kyle", "kylie", "lachie", "lachlan", "lachy", "laila", "lakshmi", "lara", "larry", "lars", "latoya", "laura",
    "lauren", "laurence", "leah", "leanne", "leblanc", "lebo", "lehmann", "leila", "leilani", "lena", "lennart", "leo", "leon",
    "leonard", "lerato", "leroy", "lesley", "leslie", "lewis", "liam", "liesl", "lilian", "lillian", "linda", "lindiwe", "lisa",
    "liv", "liz", "lloyd", "logan", "lois", "lola", "lorenzo", "lorna", "lorraine", "lotte", "lottie", "lou", "louis", "louise",
    "loïc", "luc", "luca", "lucas", "lucia", "lucy", "lucía", "luis", "lukas", "luke", "luz", "lydia", "lyle", "lyn", "lynne",
    "léa", "madison", "maeve", "magda", "mags", "mahesh", "mairead", "malcolm", "malik", "malkanthi", "manav", "manish", "manny",
    "manuel", "marcel", "marcia", "marcin", "marco", "marcus", "marek", "margaret", "margot", "maria", "marian", "marianne",
    "maricel", "marie", "marilyn", "mario", "marion", "marisela", "marisol", "marit", "marjolein", "marjorie", "marlene", "marlon",
    "marta", "martha", "martin", "martina", "marv", "marvin", "mary", "maría", "mateo", "mathieu", "mathilde", "matilda", "matt",
    "matteo", "matthew", "maureen", "maya", "mbatha", "meena", "meenakshi", "meera", "meg", "megan", "mehak", "mehmet", "meiling",
    "melanie", "melissa", "menon", "meredith", "mia", "michael", "mick", "miguel", "mike", "milly", "mina", "minh", "mireille",
    "mitch", "moana", "mohamed", "mohammad", "mohammed", "mohit", "moira", "moiz", "molly", "mona", "monica", "morag", "moritz",
    "mthunzi", "muhammad", "mukherjee", "musa", "mwangi", "nacho", "nadia", "nadine", "naledi", "nancy", "naoko", "naomi", "nat",
    "natalie", "natasha", "nathan", "neelu", "neeta", "neha", "neil", "nerys", "ngaire", "ngozi", "niamh", "nic", "nicholas",
    "nicki", "nico", "nicola", "nicolas", "nicole", "nidhi", "nigel", "nii", "nikhil", "nikki", "nikolaj", "nils", "nish", "nisha",
    "nitin", "njeri", "njoroge", "nkechi", "nkosana", "nnamdi", "noah", "noel", "nomsa", "nomvula", "noor", "nora", "noreen",
    "norma", "norman", "nosipho", "nuala", "nuraan", "nurul", "nuwan", "nyambura", "obi", "obinna", "ocampo", "odalys", "odette",
    "odhiambo", "oisín", "okonjo", "olga", "oliver", "olivia", "ollie", "olu", "olumide", "oluwaseun", "omar", "orla", "oscar",
    "osman", "otieno", "otis", "ottavio", "owen", "pablo", "paco", "paddy", "padma", "paloma", "pamela", "pankaj", "pascal", "pat",
    "patricia", "patty", "paul", "paula", "paulette", "paulina", "pauline", "paweł", "pedro", "peggy", "pelle", "penelope",
    "perdita", "pereira", "pete", "peter", "pham", "phil", "philip", "phillip", "pia", "pierre", "piet", "pieter", "pilar", "pippa",
    "pishi", "ploy", "prakash", "prateek", "preeti", "priscilla", "priti", "priya", "priyanka", "priyesh", "pru", "pushkar",
    "quincy", "quyen", "rachel", "radha", "rafay", "ragnhild", "rahul", "raj", "raja", "rajesh", "ralph", "ramesh", "ramirez",
    "rangi", "ravi", "ravinder", "ray", "raymond", "raúl", "rebecca", "reece", "rekha", "renata", "reto", "revathi", "rey", "rhian",
    "rhodri", "rhys", "ricardo", "richard", "ricky", "rico", "rikke", "rita", "ritika", "ritu", "rizwan", "rob", "robbo", "robert",
    "roberta", "roberto", "rodney", "roger", "rohan", "rohit", "roland", "rollo", "romain", "ronald", "ronke", "ronnie", "rory",
    "ros", "rosa", "rosalind", "rosemary", "rosie", "rowan", "rowena", "ruairí", "ruchi", "rufaro", "rui", "rukhsana", "rukshan",
    "rupert", "russell", "ruth", "ruthanne", "ruthie", "ryan", "sabine", "sabrina", "sachin", "sade", "sahan", "sal", "sally",
    "salmah", "sam", "samantha", "sameer", "sammo", "samuel", "sandeep", "sandra", "sanj", "sanjay", "sanne", "sara", "sarah",
    "saravanan", "saskia", "scott", "sean", "sebastian", "sege", "segun", "sergio", "serwaa", "seth", "seyi", "shabnam", "shaheen",
    "shalini", "shamim", "shane", "shanice", "shannon", "sharifah", "sharon", "shaun", "shauna", "shay", "shaz", "sheila", "shelby",
    "shelley", "shirley", "shiro", "shiv", "shona", "shonda", "shreya", "shruti", "sian", "sibusiso", "sid", "silvia", "simi",
    "simon", "simran", "sinead", "sinéad", "siobhán", "sione", "sipho", "siti", "sizwe", "sneha", "sofia", "sofie", "sofía",
    "solveig", "solène", "sonal", "sonia", "sophie", "stacey", "stacy", "stan", "stanley", "stavro", "stavros", "stefan",
    "stefanie", "stella", "steph", "stephanie", "stephen", "steve", "stewart", "stuart", "sue", "sukhi", "suman", "sumit", "sunil",
    "sunita", "suresh", "susan", "susie", "suzanne", "sven", "svenja", "svetlana", "swati", "sybil", "sylvia", "tae", "tahlia",
    "tam", "tamika", "tapan", "tara", "tariq", "tasha", "tayla", "tebogo", "tegan", "terence", "teresa", "terrance", "terri",
    "terry", "tess", "teuila", "tevita", "thabo", "thandeka", "thandi", "thandiwe", "thaís", "thelma", "themba", "theo", "theresa",
    "thiago", "thiru", "thomas", "tiffany", "timi", "tina", "tino", "tobi", "tobias", "toby", "todd", "tolga", "tolu", "tom",
    "tomasz", "tommo", "tony", "tonya", "torbjørn", "tracey", "tracy", "travis", "tremaine", "trent", "trev", "trevor", "trish",
    "troy", "tunde", "tyler", "tyrell", "tám", "tías", "uche", "uju", "uli", "ulrike", "urs", "ursi", "val", "valerie", "vanessa",
    "varun", "vera", "vernon", "veronica", "vicky", "victor", "victoria", "vidya", "vikas", "vikram", "vince", "vincent", "viv",
    "vivek", "vivian", "vreni", "vusi", "wade", "wanda", "wangari", "wanjiku", "wanjiru", "warren", "wayne", "wei", "weijie",
    "wendy", "wes", "whitney", "willemijn", "wilma", "winifred", "wiremu", "wole", "wolfie", "wouter", "wozza", "wyatt", "xavier",
    "ximena", "xolani", "yaa", "yannick", "yasmin", "yemi", "yetunde", "yolanda", "yuki", "yusra", "yusuf", "yvette", "zac", "zach",
    "zaid", "zainab", "zanele", "zara", "zeke", "zinhle", "zoe", "zosia", "zoë", "zsofi", "zuzia", "álvaro", "åse", "élodie",
    "étienne",
]);

/// Whether this folded word is a given name and no other word.
pub(super) fn is_given(word: &str) -> bool {
    GIVEN.contains(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_that_is_often_no_name_is_not_taken_for_one() {
        assert!(is_given("priya") && !is_given("will"));
    }
}
